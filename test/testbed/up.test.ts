import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isOlderGo, neededGo, unsuitable } from '../../testbed/host.ts';
import { isWhole } from '../../testbed/whole.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'testbed/main.ts');

function up(options: { uid?: number; PATH?: string }): Promise<{ status: unknown; said: string }> {
  const { uid, PATH = process.env.PATH } = options;
  const env = { ...process.env, PATH };
  return new Promise((resolve) =>
    execFile(process.execPath, [main, 'up'], { env, ...(uid ? { uid } : {}) }, (error, stdout, stderr) =>
      resolve({ status: error?.code, said: stdout + stderr }),
    ),
  );
}

/** A folder that holds a `go` which does nothing but that, in the words of sh. */
function goThat(does: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-go-'));
  writeFileSync(join(folder, 'go'), `#!/bin/sh\n${does}\n`, { mode: 0o755 });
  return folder;
}

describe.concurrent('a machine that cannot hold the testbed', () => {
  it('is told why: not Linux', async () => {
    expect(await unsuitable('darwin')).toBe('it needs Linux, this is darwin');
  });

  it('is told why: a processor that nothing is built for', async () => {
    const why = 'it needs a processor of type x64 or arm64, this is riscv64';
    expect(await unsuitable('linux', 'riscv64')).toBe(why);
  });

  it.skipIf(process.getuid?.() !== 0)('is told why and what to do instead: not root', async () => {
    const { status, said } = await up({ uid: 65_534 });
    expect(status).toBe(69);
    expect(said).toContain('it needs root');
    expect(said).toContain('set KUBECONFIG (or --context), TEMPORAL_ADDRESS');
    // What a checkout that was never built has.
    expect(said).toContain('`npm run leaderfall -- doctor`');
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    expect(scripts).toMatchObject({ leaderfall: 'node src/cli/main.ts' });
  });

  it.skipIf(process.getuid?.() !== 0)('is told why and what to do instead: no Go', async () => {
    const { status, said } = await up({ PATH: dirname(process.execPath) });
    expect(status).toBe(69);
    expect(said).toContain(`it needs Go ${neededGo()} or later on PATH`);
  });

  it.skipIf(process.getuid?.() !== 0).each([
    ['is too old', 'echo go version go1.19.8 linux/amd64', ', this is go version go1.19.8 linux/amd64.'],
    [
      'may fetch no other',
      'echo "go: go.mod requires go >= 1.24.0 (running go 1.22.2; GOTOOLCHAIN=local)" >&2; exit 1',
      ': go: go.mod requires go >= 1.24.0 (running go 1.22.2; GOTOOLCHAIN=local).',
    ],
  ])('is told why and what to do instead: a Go that %s', async (_, does, why) => {
    const { status, said } = await up({ PATH: goThat(does) });
    expect(status).toBe(69);
    expect(said).toContain(`it needs Go ${neededGo()} or later on PATH (`);
    expect(said).toContain(why);
  });
});

describe('the Go that is needed', () => {
  it.each([
    ['go version go1.19.8 linux/amd64', true],
    ['go version go1.23.12 linux/arm64', true],
    ['go version go1.24.0 linux/amd64', false],
    ['go version go1.26.8 linux/amd64', false],
    ['go version go2.0 linux/amd64', false],
    ['go version devel go1.25-2f2c5e4 linux/amd64', false],
    ['go version devel +2f2c5e4 linux/amd64', false],
  ])('%s: too old for 1.24? %j', (said, older) => {
    expect(isOlderGo(said, '1.24')).toBe(older);
  });

  it('is enough for every module, and the one that the README names', () => {
    for (const file of globSync('testbed/go/*/go.mod', { cwd: root })) {
      const [, module = ''] = /^go (\d+\.\d+)/m.exec(readFileSync(join(root, file), 'utf8')) ?? [];
      expect(isOlderGo(`go${neededGo()}`, module), file).toBe(false);
    }
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`root, Node and Go ${neededGo()}`);
  });
});

describe('what `up` finds', () => {
  const all = (dead: string[]) =>
    ['etcd', 'node-1-kubelet', 'registry', 'temporal', 'temporal-relay'].map((name) => ({
      name,
      running: !dead.includes(name),
    }));

  it.each([
    ['everything runs', '2 k8s', [], true],
    ['what is simply started again is dead', '2 k8s', ['registry', 'temporal', 'temporal-relay'], true],
    ['a kubelet is dead', '2 k8s', ['node-1-kubelet'], false],
    ['the store is dead', '2 k8s', ['etcd'], false],
    ['another version', '1 k8s', [], false],
    ['it never came up whole', undefined, [], false],
  ])('%s', (_, complete, dead, whole) => {
    expect(isWhole({ complete, processes: all(dead) }, '2 k8s')).toBe(whole);
  });
});
