import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cgroupLayout, cgroupPids, makeCgroups, removeCgroups } from '../../testbed/cgroups.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'testbed-cgroups-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function folder(...parts: string[]): string {
  const path = join(root, ...parts);
  mkdirSync(path, { recursive: true });
  return path;
}

describe('cgroup layout of a host', () => {
  const proc = 'proc /proc proc rw,nosuid 0 0\n';

  it('is v1 where controllers are mounted one by one', () => {
    const mounts = `${proc}cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n`;
    const controllers = ['/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/memory'];
    expect(cgroupLayout(mounts)).toEqual({ version: 1, controllers });
  });

  it('is v1 on a hybrid host, whose v2 tree holds no controllers', () => {
    const mounts = `${proc}cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\ncgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n`;
    const unified = '/sys/fs/cgroup/unified';
    expect(cgroupLayout(mounts)).toEqual({ version: 1, controllers: ['/sys/fs/cgroup/pids'], unified });
  });

  it('is v2 where only the unified tree is mounted', () => {
    const mounts = `${proc}cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n`;
    expect(cgroupLayout(mounts)).toEqual({ version: 2, root: '/sys/fs/cgroup' });
  });

  it('is an error where nothing is mounted', () => {
    expect(() => cgroupLayout(proc)).toThrow(/no cgroup/);
  });
});

describe('cgroups of a node', () => {
  it('exist under every v1 controller', () => {
    const controllers = [folder('memory'), folder('pids')];
    makeCgroups({ version: 1, controllers }, 'node-1');
    expect(controllers.map((controller) => existsSync(join(controller, 'leaderfall', 'node-1')))).toEqual([
      true,
      true,
    ]);
  });

  it('take the processors and memory nodes of their v1 parent, level by level', () => {
    const controller = folder('cpuset');
    for (const level of [
      controller,
      folder('cpuset', 'leaderfall'),
      folder('cpuset', 'leaderfall', 'node-1'),
    ]) {
      writeFileSync(join(level, 'cpuset.cpus'), level === controller ? '0-1\n' : '\n');
      writeFileSync(join(level, 'cpuset.mems'), level === controller ? '0\n' : '\n');
    }
    makeCgroups({ version: 1, controllers: [controller] }, 'node-1');
    expect(readFileSync(join(controller, 'leaderfall', 'node-1', 'cpuset.cpus'), 'utf8')).toBe('0-1\n');
    expect(readFileSync(join(controller, 'leaderfall', 'node-1', 'cpuset.mems'), 'utf8')).toBe('0\n');
  });

  it('hand the v2 controllers down to the node', () => {
    const parent = folder('leaderfall');
    for (const level of [root, parent])
      writeFileSync(join(level, 'cgroup.controllers'), 'cpu cpuset memory pids\n');
    makeCgroups({ version: 2, root }, 'node-1');
    expect(existsSync(join(parent, 'node-1'))).toBe(true);
    for (const level of [root, parent]) {
      // A plain file keeps the last write only, the kernel adds them up.
      expect(readFileSync(join(level, 'cgroup.subtree_control'), 'utf8')).toBe('+pids');
    }
  });

  it('are refused where v2 lacks a controller that a kubelet needs', () => {
    for (const level of [root, folder('leaderfall')]) {
      writeFileSync(join(level, 'cgroup.controllers'), 'cpu cpuset pids\n');
    }
    expect(() => makeCgroups({ version: 2, root }, 'node-1')).toThrow(/controllers memory/);
  });

  it('tell their processes, nested ones too', () => {
    writeFileSync(join(folder('pids', 'leaderfall', 'node-1', 'pod'), 'cgroup.procs'), '12\n34\n');
    writeFileSync(join(root, 'pids', 'leaderfall', 'cgroup.procs'), '');
    writeFileSync(join(folder('pids', 'another'), 'cgroup.procs'), '99\n');
    expect(cgroupPids({ version: 1, controllers: [join(root, 'pids')] })).toEqual([12, 34]);
  });

  it('are removed from the leaves up, and no others', () => {
    folder('pids', 'leaderfall', 'node-1', 'besteffort', 'pod');
    folder('pids', 'leaderfall', 'node-2');
    folder('pids', 'another');
    folder('unified', 'leaderfall', 'node-1', 'pod');
    const unified = join(root, 'unified');
    removeCgroups({ version: 1, controllers: [join(root, 'pids'), join(root, 'memory')], unified });
    expect(existsSync(join(root, 'pids', 'leaderfall'))).toBe(false);
    expect(existsSync(join(unified, 'leaderfall'))).toBe(false);
    expect(existsSync(join(root, 'pids', 'another'))).toBe(true);
  });
});
