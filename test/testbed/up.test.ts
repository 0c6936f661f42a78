import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isWhole } from '../../testbed/whole.ts';

const main = fileURLToPath(new URL('../../testbed/main.ts', import.meta.url));

function up(options: { uid?: number; PATH?: string }) {
  const { uid, PATH = process.env.PATH } = options;
  const env = { ...process.env, PATH };
  return spawnSync(process.execPath, [main, 'up'], { encoding: 'utf8', env, ...(uid ? { uid } : {}) });
}

describe('a machine that cannot hold the testbed', () => {
  it.skipIf(process.getuid?.() !== 0)('is told why and what to do instead: not root', () => {
    const { status, stdout, stderr } = up({ uid: 65_534 });
    expect(status).toBe(69);
    expect(stdout + stderr).toContain('it needs root');
    expect(stdout + stderr).toContain('set KUBECONFIG (or --context), TEMPORAL_ADDRESS');
  });

  it.skipIf(process.getuid?.() !== 0)('is told why and what to do instead: no Go', () => {
    const { status, stdout, stderr } = up({ PATH: dirname(process.execPath) });
    expect(status).toBe(69);
    expect(stdout + stderr).toContain('it needs Go on PATH');
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
