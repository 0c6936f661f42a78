import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { libraries } from './images/libraries.ts';
import { paths } from './paths.ts';
import { say, step } from './progress.ts';
import { run } from './run.ts';

/** Debian packages of the testbed, by a file that shows that each is there. */
const packages: Record<string, string> = {
  containerd: '/usr/bin/containerd',
  runc: '/usr/bin/runc',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  iptables: '/usr/sbin/iptables',
  iproute2: '/usr/bin/nstat',
  conntrack: '/usr/sbin/conntrack',
  socat: '/usr/bin/socat',
  buildah: '/usr/bin/buildah',
  mmdebstrap: '/usr/bin/mmdebstrap',
  'docker-registry': '/usr/bin/docker-registry',
  maven: '/usr/bin/mvn',
  'python3-pip': '/usr/lib/python3/dist-packages/pip',
  curl: '/usr/bin/curl',
  openssl: '/usr/bin/openssl',
};

/** Why this machine cannot hold the testbed, or undefined. */
export async function unsuitable(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<string | undefined> {
  if (platform !== 'linux') return `it needs Linux, this is ${platform}`;
  if (!(arch in libraries))
    return `it needs a processor of type ${Object.keys(libraries).join(' or ')}, this is ${arch}`;
  if (process.getuid?.() !== 0) return 'it needs root (network namespaces, mounts, cgroups)';
  const unfit = await unfitGo();
  if (unfit) return unfit;
  if (missing().length > 0 && !existsSync('/usr/bin/apt-get')) {
    return `these programs are missing and there is no apt-get to install them: ${missing().join(', ')}`;
  }
  return undefined;
}

/** The module that asks for the newest Go. */
const kubernetesModule = join(paths.source, 'go', 'kubernetes');

/** The Go that the modules need, as `1.24`. */
export function neededGo(): string {
  return /^go (\d+\.\d+)/m.exec(readFileSync(join(kubernetesModule, 'go.mod'), 'utf8'))?.[1] ?? '';
}

/** Whether what `go version` says is older than that. A Go that names no version is one of somebody's own making, and tried. */
export function isOlderGo(said: string, needed: string): boolean {
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(said) ?? [];
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
  if (major === undefined || Number(major) > neededMajor) return false;
  return Number(major) < neededMajor || Number(minor) < neededMinor;
}

/** Why this machine's Go cannot build the modules, or undefined. */
async function unfitGo(): Promise<string | undefined> {
  const needed = neededGo();
  const needs = `it needs Go ${needed} or later on PATH (it builds Kubernetes from its Go modules)`;
  // In the module's folder a Go from 1.21 on answers as the one that it would build with, which it may have to fetch.
  const options = { cwd: kubernetesModule, reject: false, stdin: 'ignore' } as const;
  const { exitCode, stdout, stderr } = await step(`Go ${needed}`, () => execa('go', ['version'], options));
  if (exitCode === undefined) return needs;
  if (exitCode !== 0) return `${needs}: ${stderr.trim().split('\n').at(-1)}`;
  return isOlderGo(stdout, needed) ? `${needs}, this is ${stdout}` : undefined;
}

/** Installs what is missing, without starting any service. */
export async function installPackages(): Promise<void> {
  const absent = missing();
  if (absent.length === 0) return;
  await step(`Debian packages: ${absent.join(' ')}`, async () => {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const policy = '/usr/sbin/policy-rc.d';
    const own = !existsSync(policy);
    if (own) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    try {
      await run('apt-get', ['update', '-qq'], { env });
      await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...absent], { env });
    } finally {
      if (own) rmSync(policy);
    }
  });
}

/** Tells what to use instead where the testbed cannot run. */
export function tellAlternative(reason: string): void {
  say(`The testbed cannot run here: ${reason}.`);
  say(
    'Use any other cluster instead: set KUBECONFIG (or --context), TEMPORAL_ADDRESS, and run `npm run leaderfall -- doctor`.',
  );
}

/** Parallel build jobs. */
export const jobs = availableParallelism();

function missing(): string[] {
  return Object.entries(packages)
    .filter(([, file]) => !existsSync(file))
    .map(([name]) => name);
}
