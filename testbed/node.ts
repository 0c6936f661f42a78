import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { kubeconfig } from './certificates.ts';
import { type CgroupLayout, makeCgroups } from './cgroups.ts';
import { linkPrefix, network, nodes, state, type TestbedNode } from './paths.ts';
import { isRunning, mustRun, start } from './process.ts';
import { run, succeeds, until } from './run.ts';

const bridgeName = 'cni0';

/** Puts the shared address on the loopback device and lets the host route between its nodes. */
export async function prepareHostNetwork(): Promise<void> {
  const addresses = await run('ip', ['-o', 'address', 'show', 'dev', 'lo']);
  if (!addresses.includes(`${network.host}/32`))
    await run('ip', ['address', 'add', `${network.host}/32`, 'dev', 'lo']);
  const forward = '/proc/sys/net/ipv4/ip_forward';
  const before = readFileSync(forward, 'utf8').trim();
  const remembered = state('ip-forward-before');
  if (!existsSync(remembered)) writeFileSync(remembered, before);
  if (before !== '1') writeFileSync(forward, '1');
  for (const rule of await neededRules()) {
    if (!(await succeeds('iptables', ['-w', '-C', ...rule]))) await run('iptables', ['-w', '-I', ...rule]);
  }
}

/** Takes the host's rules away again, whichever of them were needed. */
export async function removeHostRules(): Promise<void> {
  for (const rule of allRules) {
    while (await succeeds('iptables', ['-w', '-D', ...rule])) {}
  }
}

/** A host that drops by default, as one with a firewall or Docker does, would cut the nodes off from it and from each other. */
const allRules = [
  ['INPUT', '-i', `${linkPrefix}+`, '-j', 'ACCEPT'],
  ['FORWARD', '-i', `${linkPrefix}+`, '-o', `${linkPrefix}+`, '-j', 'ACCEPT'],
];

async function neededRules(): Promise<string[][]> {
  const policies = await run('iptables', ['-w', '-S']);
  return allRules.filter(([chain]) => hasOwnPolicy(policies, chain ?? ''));
}

/** Whether a chain, as `iptables -S` prints it, does anything else than let all pass. */
export function hasOwnPolicy(listing: string, chain: string): boolean {
  return listing
    .split('\n')
    .some(
      (line) =>
        (line.startsWith(`-P ${chain} `) && !line.endsWith(' ACCEPT')) || line.startsWith(`-A ${chain} `),
    );
}

/** Starts one node, or what is missing of it. */
export async function startNode(node: TestbedNode, binary: string, layout: CgroupLayout): Promise<void> {
  await connect(node);
  makeCgroups(layout, node.name);
  const folder = state(node.name);
  mkdirSync(folder, { recursive: true });
  await shareMounts(folder);
  writeContainerd(node);
  writeCni(node);
  const socket = join(folder, 'containerd.sock');
  if (!isRunning(`${node.name}-containerd`)) {
    inside(node, `${node.name}-containerd`, 'containerd', ['--config', join(folder, 'containerd.toml')]);
  }
  await until(`containerd of ${node.name} answers`, 30, () => {
    mustRun(`${node.name}-containerd`);
    return succeeds('ctr', ['--address', socket, 'version']);
  });
  if (!isRunning(`${node.name}-kubelet`)) {
    inside(node, `${node.name}-kubelet`, binary, [
      'kubelet',
      `--config=${writeKubelet(node, layout, socket)}`,
      `--kubeconfig=${kubeconfig(node.name)}`,
      `--hostname-override=${node.name}`,
      `--node-ip=${node.address}`,
      `--root-dir=${join(folder, 'kubelet')}`,
      `--cert-dir=${join(folder, 'kubelet-pki')}`,
    ]);
  }
  if (!isRunning(`${node.name}-kube-proxy`)) {
    inside(node, `${node.name}-kube-proxy`, binary, [
      'kube-proxy',
      `--kubeconfig=${kubeconfig('kube-proxy')}`,
      `--hostname-override=${node.name}`,
      `--cluster-cidr=${network.pods}`,
      '--proxy-mode=iptables',
      // The connection table belongs to the host.
      '--conntrack-max-per-core=0',
      '--bind-address=0.0.0.0',
      `--metrics-bind-address=${node.address}:10249`,
      `--healthz-bind-address=${node.address}:10256`,
    ]);
  }
}

/** Starts a process in the node's network namespace. `ip netns exec` would remount /sys and hide the cgroups. */
function inside(node: TestbedNode, name: string, command: string, args: string[]): void {
  start(name, 'nsenter', [`--net=/run/netns/${node.namespace}`, command, ...args]);
}

async function connect(node: TestbedNode): Promise<void> {
  if (!existsSync(`/run/netns/${node.namespace}`)) await run('ip', ['netns', 'add', node.namespace]);
  const within = ['-n', node.namespace];
  if (!(await succeeds('ip', ['link', 'show', node.link]))) {
    await run('ip', [
      'link',
      'add',
      node.link,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      node.namespace,
    ]);
    await run('ip', ['address', 'add', `${node.gateway}/24`, 'dev', node.link]);
    await run('ip', ['link', 'set', node.link, 'up']);
    await run('ip', [...within, 'address', 'add', `${node.address}/24`, 'dev', 'eth0']);
    await run('ip', [...within, 'link', 'set', 'eth0', 'up']);
    await run('ip', [...within, 'link', 'set', 'lo', 'up']);
    await run('ip', [...within, 'route', 'add', 'default', 'via', node.gateway]);
    await run('ip', ['route', 'replace', node.pods, 'via', node.address]);
  }
  await forgetDeadPods(node);
}

/**
 * How long the kernel believes that a pod is still behind its address. With its own 30 s a connection to the address of a pod that has
 * just died hung for up to 45 s, as long as other pods were on the node; with these it is refused within 5 s. Kafka's controller has
 * such connections when it looks up a restarted broker a moment too early, and kept that broker out of the ISR for 45 s.
 */
const neighbourTimes = { base_reachable_time_ms: 1_000, delay_first_probe_time: 1, retrans_time_ms: 200 };

/** The bridge is made before the network plugin makes it: a network namespace has no defaults of its own for these times. */
async function forgetDeadPods(node: TestbedNode): Promise<void> {
  const within = ['-n', node.namespace];
  if (!(await succeeds('ip', [...within, 'link', 'show', bridgeName]))) {
    await run('ip', [...within, 'link', 'add', bridgeName, 'type', 'bridge']);
  }
  const writes = Object.entries(neighbourTimes).map(
    ([name, value]) => `echo ${value} > /proc/sys/net/ipv4/neigh/${bridgeName}/${name}`,
  );
  await run('ip', ['netns', 'exec', node.namespace, 'sh', '-ec', writes.join('; ')]);
}

/** Volumes that the kubelet mounts must be seen by containers, and the other way round. */
async function shareMounts(folder: string): Promise<void> {
  if (!(await succeeds('mountpoint', ['-q', folder]))) await run('mount', ['--bind', folder, folder]);
  await run('mount', ['--make-rshared', folder]);
}

function writeContainerd(node: TestbedNode): void {
  const folder = state(node.name);
  const hosts = join(folder, 'registries', '_default');
  mkdirSync(hosts, { recursive: true });
  // `server` too: without it a miss falls back to the public host and waits for its time-out.
  const registry = `http://${network.registry}`;
  writeFileSync(
    join(hosts, 'hosts.toml'),
    `server = "${registry}"\n\n[host."${registry}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
  writeFileSync(
    join(folder, 'containerd.toml'),
    `version = 2
root = "${join(folder, 'containerd')}"
state = "${join(folder, 'containerd-state')}"

[grpc]
  address = "${join(folder, 'containerd.sock')}"

[ttrpc]
  address = "${join(folder, 'containerd.sock.ttrpc')}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.10"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${join(folder, 'cni')}"

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "${join(folder, 'registries')}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
`,
  );
}

function writeCni(node: TestbedNode): void {
  const folder = state(node.name, 'cni');
  mkdirSync(folder, { recursive: true });
  const config = {
    cniVersion: '0.4.0',
    name: 'testbed',
    plugins: [
      {
        type: 'bridge',
        bridge: bridgeName,
        isGateway: true,
        hairpinMode: true,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: node.pods }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: state(node.name, 'cni-addresses'),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  writeFileSync(join(folder, '10-testbed.conflist'), JSON.stringify(config, undefined, 2));
}

function writeKubelet(node: TestbedNode, layout: CgroupLayout, socket: string): string {
  const path = state(node.name, 'kubelet.yaml');
  const never = { 'memory.available': '0%', 'nodefs.available': '0%', 'imagefs.available': '0%' };
  writeFileSync(
    path,
    stringify({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      address: node.address,
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: state('pki', 'ca.crt') },
      },
      authorization: { mode: 'Webhook' },
      cgroupDriver: 'cgroupfs',
      cgroupRoot: `/leaderfall/${node.name}`,
      cgroupsPerQOS: true,
      enforceNodeAllocatable: [],
      failCgroupV1: false,
      failSwapOn: false,
      localStorageCapacityIsolation: false,
      clusterDNS: [network.host],
      clusterDomain: network.clusterDomain,
      resolvConf: writeEmpty(node),
      containerRuntimeEndpoint: `unix://${socket}`,
      podLogsDir: state(node.name, 'pod-logs'),
      // A good pull must not queue behind one that fails.
      serializeImagePulls: false,
      // A shared machine's full disk must not taint nodes.
      evictionHard: { ...never, 'nodefs.inodesFree': '0%' },
      imageGCHighThresholdPercent: 100,
      registerNode: true,
      healthzPort: 0,
      logging: { verbosity: 1 },
      ...(layout.version === 1 ? { kernelMemcgNotification: false } : {}),
    }),
  );
  return path;
}

function writeEmpty(node: TestbedNode): string {
  const path = state(node.name, 'resolv.conf');
  writeFileSync(path, '');
  return path;
}

/** Names of all nodes. */
export const nodeNames: string[] = nodes.map((node) => node.name);
