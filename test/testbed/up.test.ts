import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { unsuitable } from '../../testbed/host.ts';
import { isWhole } from '../../testbed/whole.ts';

const main = fileURLToPath(new URL('../../testbed/main.ts', import.meta.url));

function up(options: { uid?: number; PATH?: string }): Promise<{ status: unknown; said: string }> {
  const { uid, PATH = process.env.PATH } = options;
  const env = { ...process.env, PATH };
  return new Promise((resolve) =>
    execFile(process.execPath, [main, 'up'], { env, ...(uid ? { uid } : {}) }, (error, stdout, stderr) =>
      resolve({ status: error?.code, said: stdout + stderr }),
    ),
  );
}

describe.concurrent('a machine that cannot hold the testbed', () => {
  it('is told why: not Linux', async () => {
    expect(await unsuitable('darwin')).toBe('it needs Linux, this is darwin');
  });

  it.skipIf(process.getuid?.() !== 0)('is told why and what to do instead: not root', async () => {
    const { status, said } = await up({ uid: 65_534 });
    expect(status).toBe(69);
    expect(said).toContain('it needs root');
    expect(said).toContain('set KUBECONFIG (or --context), TEMPORAL_ADDRESS');
  });

  it.skipIf(process.getuid?.() !== 0)('is told why and what to do instead: no Go', async () => {
    const { status, said } = await up({ PATH: dirname(process.execPath) });
    expect(status).toBe(69);
    expect(said).toContain('it needs Go on PATH');
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
