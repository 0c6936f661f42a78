import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { cgroupPids, hostLayout, removeCgroups } from './cgroups.ts';
import { dropBuilds } from './images/buildah.ts';
import { removeHostRules } from './node.ts';
import { cache, network, nodes, paths, state } from './paths.ts';
import { kill, recorded, stop } from './process.ts';
import { run, succeeds, until } from './run.ts';

/** Takes everything down: processes, containers, mounts, cgroups, namespaces, links, addresses and the state folder. */
export async function down(): Promise<void> {
  // The kubelets first, else they start anew what is being ended.
  const names = recorded();
  await Promise.all(names.filter((name) => name.endsWith('-kubelet')).map((name) => stop(name)));
  const layout = hostLayout();
  const shims = shimSockets();
  await until('no container runs', 20, () => {
    const pids = [...cgroupPids(layout), ...nodes.flatMap((node) => namespacePids(node.namespace))];
    for (const pid of pids) kill(pid, 'SIGKILL');
    return pids.length === 0;
  });
  await Promise.all(recorded().map((name) => stop(name)));
  await until('no unrecorded process runs', 10, () => {
    const pids = strayPids();
    for (const pid of pids) kill(pid, 'SIGKILL');
    return pids.length === 0;
  });
  await dropBuilds();
  await unmountAll();
  await until('the cgroups are empty', 10, () => {
    try {
      removeCgroups(layout);
      return true;
    } catch {
      return false;
    }
  });
  for (const node of nodes) {
    if (await succeeds('ip', ['link', 'show', node.link])) await run('ip', ['link', 'delete', node.link]);
    if (await succeeds('test', ['-e', `/run/netns/${node.namespace}`]))
      await run('ip', ['netns', 'delete', node.namespace]);
  }
  await succeeds('ip', ['address', 'delete', `${network.host}/32`, 'dev', 'lo']);
  await removeHostRules();
  restoreForwarding();
  for (const socket of shims) rmSync(socket, { force: true });
  removeLogLinks();
  rmSync(paths.state, { recursive: true, force: true });
}

/** Processes in a node's network namespace: containerd, its shims, kube-proxy. */
function namespacePids(namespace: string): number[] {
  let inode: number;
  try {
    inode = statSync(`/run/netns/${namespace}`).ino;
  } catch {
    return [];
  }
  return allPids().filter((pid) => linkOf(pid, 'ns/net') === `net:[${inode}]`);
}

/** The testbed's servers whose record is lost, told by their program and by the state that they serve. */
function strayPids(): number[] {
  const debian = ['containerd', 'docker-registry'];
  return allPids().filter((pid) => {
    const program = linkOf(pid, 'exe').replace(/ \(deleted\)$/, '');
    const own = program.startsWith(`${paths.cache}/`) || debian.includes(basename(program));
    return own && commandOf(pid).includes(`${paths.state}/`);
  });
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** A link below /proc/<pid>; empty where the process is gone or a zombie. */
function linkOf(pid: number, name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return '';
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Kubelets link their containers' logs into a folder that is the same for all of them, and do not tidy up when killed. */
function removeLogLinks(): void {
  const folder = '/var/log/containers';
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const link = join(folder, name);
    if (lstatSync(link).isSymbolicLink() && readlinkSync(link).startsWith(`${paths.state}/`)) rmSync(link);
  }
}

/** containerd 1.6 keeps its shims' sockets in a folder shared by all containerds of the machine; each bundle names its own. */
function shimSockets(): string[] {
  return nodes.flatMap((node) => {
    const bundles = state(node.name, 'containerd-state', 'io.containerd.runtime.v2.task', 'k8s.io');
    try {
      return readdirSync(bundles).flatMap((bundle) => {
        try {
          return [readFileSync(join(bundles, bundle, 'address'), 'utf8').replace('unix://', '')];
        } catch {
          return [];
        }
      });
    } catch {
      return [];
    }
  });
}

/** Mounts below the state folder, deepest first; several may lie on one another. */
async function unmountAll(): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => [paths.state, cache('buildah')].some((folder) => path.startsWith(`${folder}/`)))
      .sort((a, b) => b.length - a.length);
    if (mounts.length === 0) return;
    for (const path of mounts) await succeeds('umount', ['--lazy', path]);
  }
}

function restoreForwarding(): void {
  const remembered = state('ip-forward-before');
  if (existsSync(remembered))
    writeFileSync('/proc/sys/net/ipv4/ip_forward', readFileSync(remembered, 'utf8'));
}
