import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
    ['a format that is none', ['report', 'id', '--pdf'], 'pdf'],
    ['a stop that does not say of what', ['stop', '--reason', 'why'], '--all'],
    ['a lock without a reason', ['lock'], '--reason'],
    ['a janitor without a task', ['janitor'], '--once'],
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

  it('says what to do when Temporal is not there, and the doctor goes on to the cluster', async () => {
    const [ran, examined] = await Promise.all([
      leaderfall(['run', '-f', good]),
      leaderfall(['doctor', '--json']),
    ]);
    expect([ran, examined]).toEqual([3, 1]);
    expect(stderr).toMatch(/TEMPORAL_UNREACHABLE.*127\.0\.0\.1:1[\s\S]*next: .*TEMPORAL_ADDRESS/);
    const findings = JSON.parse(stdout) as { about: string; state: string }[];
    expect(findings.map(({ about, state }) => [about, state])).toEqual([
      ['Temporal', 'bad'],
      ['Kubernetes', 'bad'],
    ]);
  }, 20_000);

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
