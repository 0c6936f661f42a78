import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How the host mounts its cgroups. v1 covers hybrid hosts, whose controllers are all on v1. */
export type CgroupLayout = { version: 1; controllers: string[] } | { version: 2; root: string };

/** Reads the layout from the text of /proc/mounts. */
export function cgroupLayout(mounts: string): CgroupLayout {
  const rows = mounts.split('\n').map((line) => line.split(' '));
  const controllers = rows.filter((row) => row[2] === 'cgroup').map((row) => row[1] ?? '');
  if (controllers.length > 0) return { version: 1, controllers };
  const unified = rows.find((row) => row[2] === 'cgroup2');
  if (!unified?.[1]) throw new Error('no cgroup file system is mounted');
  return { version: 2, root: unified[1] };
}

/** The layout of this machine. */
export function hostLayout(): CgroupLayout {
  return cgroupLayout(readFileSync('/proc/mounts', 'utf8'));
}

/** Makes the cgroup `/leaderfall/<node>` under every controller, ready for a kubelet with driver cgroupfs. */
export function makeCgroups(layout: CgroupLayout, node: string): void {
  if (layout.version === 2) {
    const parent = join(layout.root, 'leaderfall');
    mkdirSync(join(parent, node), { recursive: true });
    for (const folder of [layout.root, parent]) {
      const available = readFileSync(join(folder, 'cgroup.controllers'), 'utf8').trim().split(' ').filter(Boolean);
      writeFileSync(join(folder, 'cgroup.subtree_control'), available.map((name) => `+${name}`).join(' '));
    }
    return;
  }
  for (const controller of layout.controllers) {
    let folder = controller;
    for (const part of ['leaderfall', node]) {
      const child = join(folder, part);
      mkdirSync(child, { recursive: true });
      // A new cpuset is empty, and no process can enter it, until its parent's values are copied.
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        if (existsSync(join(child, file))) writeFileSync(join(child, file), readFileSync(join(folder, file), 'utf8'));
      }
      folder = child;
    }
  }
}

/** Every process in the testbed's cgroups. */
export function cgroupPids(layout: CgroupLayout): number[] {
  const found = new Set<number>();
  for (const folder of ownFolders(layout)) {
    try {
      const pids = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
      for (const pid of pids) found.add(Number(pid));
    } catch {
      // The cgroup went between listing and reading.
    }
  }
  return [...found];
}

/** Removes the testbed's cgroups; they must be empty of processes. */
export function removeCgroups(layout: CgroupLayout): void {
  for (const folder of ownFolders(layout).reverse()) rmdirSync(folder);
}

/** The testbed's cgroup folders, parents first. */
function ownFolders(layout: CgroupLayout): string[] {
  const roots = layout.version === 1 ? layout.controllers : [layout.root];
  return roots.map((root) => join(root, 'leaderfall')).flatMap((root) => (existsSync(root) ? [root, ...below(root)] : []));
}

function below(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => [join(folder, entry.name), ...below(join(folder, entry.name))]);
}
