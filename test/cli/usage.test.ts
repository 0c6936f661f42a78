import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leaderfall } from '../../src/cli/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'leaderfall-usage-'));
afterAll(() => rmSync(folder, { recursive: true }));

let stdout = '';
let stderr = '';
beforeEach(() => {
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
  // Port 1 refuses at once: whatever is said to be wrong was found before Temporal was asked.
  vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
  vi.stubEnv('KUBECONFIG', join(folder, 'none'));
  vi.stubEnv('NO_COLOR', '1');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const unwritten = join(folder, 'unwritten');
const good = file('good.yaml', 'cluster: { namespace: kafka }\n');

describe('the command line', () => {
  it.each([
    ['an unknown command', ['bogus'], 'bogus'],
    ['an unknown option', ['run', '-f', good, '--bogus'], '--bogus'],
    ['a missing file option', ['run'], '--file'],
    ['a file that is not there', ['run', '-f', join(folder, 'none.yaml')], 'none.yaml'],
    ['a time that is none', ['run', '-f', good, '--timeout', 'soon'], 'positive whole number'],
    ['a policy that is none', ['run', '-f', good, '--on-interrupt', 'kill'], '--on-interrupt'],
    ['a limit that nobody watches', ['run', '-f', good, '--detach', '--timeout', '5'], '--timeout'],
    ['a JUnit file that nobody writes', ['run', '-f', good, '--detach', '--junit', unwritten], '--junit'],
    ['a summary that nobody writes', ['run', '-f', good, '--detach', '--summary', unwritten], '--summary'],
    ['a result that nobody waits for', ['abort', 'id', '--detach', '--json'], '--json'],
    ['a format that is none', ['report', 'id', '--pdf'], 'pdf'],
    ['a stop that does not say of what', ['stop', '--reason', 'why'], '--all'],
    ['a lock without a reason', ['lock'], '--reason'],
    ['a janitor without a task', ['janitor'], '--once'],
    ['one round and a schedule of them at once', ['janitor', '--every', '1h', '--once'], '--once'],
    ['a schedule of rounds that remove nothing', ['janitor', '--every', '1h', '--dry-run'], '--dry-run'],
    ['a report of rounds that are yet to come', ['janitor', '--every', '1h', '--json'], '--json'],
    ['an interval that is none', ['janitor', '--every', 'often'], '10m'],
    ['two formats at once', ['report', 'id', '--md', '--json'], '--json'],
  ])(
    'refuses %s with 64 and names it',
    async (_, args, named) => {
      expect(await leaderfall(args)).toBe(64);
      expect(stderr).toContain(named);
      expect(stdout).toBe('');
    },
    20_000,
  );

  it.each([
    ['an unknown field, with the nearest known one', 'cluster: { namespce: kafka }', 'namespace'],
    [
      'a wrong type',
      'cluster: { namespace: kafka }\nschedule: { durationSeconds: long }',
      'schedule.durationSeconds',
    ],
    ['broken YAML', 'cluster: [', 'file'],
  ])('refuses %s in the file, before anything is started', async (name, content, named) => {
    expect(await leaderfall(['run', '-f', file(`${name.length}.yaml`, content)])).toBe(64);
    expect(stderr).toContain('INPUT_INVALID');
    expect(stderr).toContain(named);
  });

  it('lists every wrong setting when a worker starts', async () => {
    vi.stubEnv('LEADERFALL_TASKQUEUE', 'x');
    vi.stubEnv('LEADERFALL_LOG_LEVEL', 'loud');
    expect(await leaderfall(['worker'])).toBe(64);
    expect(stderr).toContain('LEADERFALL_TASK_QUEUE');
    expect(stderr).toContain('LEADERFALL_LOG_LEVEL');
  }, 20_000);

  it('tells a health or metrics address that is taken before a worker connects anywhere', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const at = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    vi.stubEnv('LEADERFALL_HEALTH_ADDRESS', at);
    vi.stubEnv('LEADERFALL_METRICS_ADDRESS', at);
    expect(await leaderfall(['worker'])).toBe(64);
    taken.close();
    for (const name of ['HEALTH', 'METRICS'])
      expect(stderr).toMatch(new RegExp(`LEADERFALL_${name}_ADDRESS: .*EADDRINUSE`));
    // With what is wrong with the cluster's settings.
    expect(stderr).toContain(join(folder, 'none'));
  }, 20_000);

  /** Where CI is told what went wrong, and a look at both files. */
  function forCi(name: string) {
    const [junit, summary] = [join(folder, `${name}.xml`), join(folder, `${name}.md`)];
    return {
      args: ['--junit', junit, '--summary', summary],
      expectProblem(problem: string, named: string) {
        const xml = readFileSync(junit, 'utf8');
        expect(xml).toMatch(/<testsuite [^>]*tests="1" failures="0" errors="1" skipped="0"/);
        expect(xml).toMatch(new RegExp(`<error message="[^"]*${named}[^"]*" type="${problem}"`));
        expect(readFileSync(summary, 'utf8')).toMatch(new RegExp(`^## run: ${problem}\n\n.*${named}`));
      },
    };
  }

  it('tells CI what is wrong with the input', async () => {
    const ci = forCi('wrong');
    expect(await leaderfall(['run', '-f', file('wrong-for-ci.yaml', 'schedul: {}'), ...ci.args])).toBe(64);
    ci.expectProblem('INPUT_INVALID', 'schedul: unknown field');
  });

  it('says what went wrong with a run also where that cannot be written for CI', async () => {
    const nowhere = join(folder, 'no', 'such', 'folder');
    const files = ['--junit', join(nowhere, 'a.xml'), '--summary', join(nowhere, 'a.md')];
    expect(await leaderfall(['run', '-f', file('wrong.yaml', 'schedul: {}'), ...files])).toBe(64);
    expect(stderr).toContain('schedul: unknown field');
  });

  it('says so where no cluster is configured at all, and where the context is unknown', async () => {
    vi.stubEnv('KUBECONFIG', '');
    vi.stubEnv('HOME', folder);
    expect(await leaderfall(['plan', '-f', good])).toBe(64);
    expect(stderr).toMatch(
      /no Kubernetes cluster is configured[\s\S]*~\/\.kube\/config[\s\S]*next: .*KUBECONFIG/,
    );
    expect(await leaderfall(['plan', '-f', good, '--context', 'staging'])).toBe(64);
    expect(stderr).toContain('no context staging');
  });

  it.each([
    ['experiment', 'Leaderfall experiment'],
    ['result', 'Leaderfall result'],
  ])('prints the schema of %s to standard output', async (what, title) => {
    expect(await leaderfall(['schema', what])).toBe(0);
    expect(JSON.parse(stdout).title).toBe(title);
  });

  it('helps with every command and tells its version with 0', async () => {
    expect(await leaderfall(['--help'])).toBe(0);
    for (const name of [
      'run',
      'worker',
      'status',
      'watch',
      'abort',
      'list',
      'report',
      'doctor',
      'schema',
      'plan',
      'explain',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
    expect(await leaderfall(['--version'])).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+$/m);
  });

  it('leaves the exit code of its process to the caller', async () => {
    await leaderfall(['bogus']);
    expect(process.exitCode).toBeUndefined();
  });
});
