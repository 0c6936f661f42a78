import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { say, step } from './progress.ts';
import { run, succeeds } from './run.ts';

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
export async function unsuitable(platform: string = process.platform): Promise<string | undefined> {
  if (platform !== 'linux') return `it needs Linux, this is ${platform}`;
  if (process.getuid?.() !== 0) return 'it needs root (network namespaces, mounts, cgroups)';
  if (!(await succeeds('go', ['version'])))
    return 'it needs Go on PATH (it builds Kubernetes from its Go modules)';
  if (missing().length > 0 && !existsSync('/usr/bin/apt-get')) {
    return `these programs are missing and there is no apt-get to install them: ${missing().join(', ')}`;
  }
  return undefined;
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
    'Use any other cluster instead: set KUBECONFIG (or --context), TEMPORAL_ADDRESS, and run `npx leaderfall doctor`.',
  );
}

/** Parallel build jobs. */
export const jobs = availableParallelism();

function missing(): string[] {
  return Object.entries(packages)
    .filter(([, file]) => !existsSync(file))
    .map(([name]) => name);
}
