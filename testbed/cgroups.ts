import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How the host mounts its cgroups. v1 covers hybrid hosts, whose controllers are all on v1; runc still makes the same
 * groups in their `unified` tree.
 */
export type CgroupLayout =
  | { version: 1; controllers: string[]; unified?: string }
  | { version: 2; root: string };

/** Controllers of v2 without which no kubelet starts. */
const needed = ['cpu', 'cpuset', 'memory', 'pids'];

/** Reads the layout from the text of /proc/mounts. */
export function cgroupLayout(mounts: string): CgroupLayout {
  const rows = mounts.split('\n').map((line) => line.split(' '));
  const controllers = rows.filter((row) => row[2] === 'cgroup').map((row) => row[1] ?? '');
  const unified = rows.find((row) => row[2] === 'cgroup2')?.[1];
  if (controllers.length > 0) return { version: 1, controllers, ...(unified ? { unified } : {}) };
  if (!unified) throw new Error('no cgroup file system is mounted');
  return { version: 2, root: unified };
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
      const available = readFileSync(join(folder, 'cgroup.controllers'), 'utf8')
        .trim()
        .split(' ')
        .filter(Boolean);
      // One by one: the kernel refuses the whole line when a single controller cannot be handed down.
      const refused = available.filter((name) => !handDown(folder, name));
      const lacking = needed.filter((name) => refused.includes(name) || !available.includes(name));
      if (lacking.length > 0)
        throw new Error(`${folder} does not hand down the cgroup controllers ${lacking.join(', ')}`);
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
        if (existsSync(join(child, file)))
          writeFileSync(join(child, file), readFileSync(join(folder, file), 'utf8'));
      }
      folder = child;
    }
  }
}

function handDown(folder: string, controller: string): boolean {
  try {
    writeFileSync(join(folder, 'cgroup.subtree_control'), `+${controller}`);
    return true;
  } catch {
    return false;
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
  const roots =
    layout.version === 2
      ? [layout.root]
      : [...layout.controllers, ...(layout.unified ? [layout.unified] : [])];
  return roots
    .map((root) => join(root, 'leaderfall'))
    .flatMap((root) => (existsSync(root) ? [root, ...below(root)] : []));
}

function below(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => [join(folder, entry.name), ...below(join(folder, entry.name))]);
}
