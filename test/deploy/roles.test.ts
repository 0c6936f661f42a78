import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { credentialsSecret, roleManifests } from '../../scripts/role-manifests.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { crashNamespace } from '../../src/faults/crash/pod.ts';
import { livenessPodName } from '../../src/liveness/pod.ts';
import { livenessPorts } from '../../src/liveness/protocol.ts';
import { readConfig } from '../../src/worker/config.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  rules?: Rule[];
}

const folder = new URL('../../deploy/kustomize/', import.meta.url);

function manifests(path: string): Manifest[] {
  return parseAllDocuments(readFileSync(new URL(path, folder), 'utf8')).map(
    (document) => document.toJS() as Manifest,
  );
}

function folderOf(name: string): { resources: string[]; patches: { patch: string }[] } {
  return parseAllDocuments(
    readFileSync(new URL(`${name}/kustomization.yaml`, folder), 'utf8'),
  )[0]?.toJS() as {
    resources: string[];
    patches: { patch: string }[];
  };
}

const rulesOf = (...all: Manifest[]) => all.flatMap(({ rules }) => rules ?? []);
describe('roles in deploy/', () => {
  it('are what `npm run roles` makes of the rights that runs check', async () => {
    for (const [name, text] of Object.entries(await roleManifests())) {
      expect(readFileSync(new URL(name, folder), 'utf8'), name).toBe(text);
    }
  });

  it('let a run read no Secret but the one that is named', () => {
    const readers = [...manifests('target/role.yaml'), ...manifests('kudo/role.yaml')];
    expect(rulesOf(...readers).flatMap(({ resources }) => resources)).not.toContain('secrets');
    expect(rulesOf(...manifests('credentials/role.yaml'))).toEqual([
      { apiGroups: [''], resources: ['secrets'], resourceNames: [credentialsSecret], verbs: ['get'] },
    ]);
  });

  it('keep privileged pods in a namespace of their own, and out of the place to start from', () => {
    const crash = manifests('crash/role.yaml');
    for (const { metadata } of crash) expect(metadata.namespace).toBe(crashNamespace);
    const [space] = manifests('crash/namespace.yaml');
    expect(space?.metadata).toMatchObject({
      name: crashNamespace,
      labels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
    });
    const everything = readFileSync(new URL('all/kustomization.yaml', folder), 'utf8');
    expect(everything).not.toContain('crash');
  });

  it('need nothing of KUDO in the place to start from for a Kafka that is there', () => {
    const resources = (name: string) => folderOf(name).resources;
    expect(resources('existing')).toEqual(['../base', '../target', '../nodes']);
    expect(resources('all')).toEqual(['../existing', '../kudo', '../kudo-init']);
  });

  it('allow no wildcard, and nothing cluster-wide but to see nodes outside the KUDO-init role', () => {
    const everything = [
      'target/role.yaml',
      'kudo/role.yaml',
      'credentials/role.yaml',
      'crash/role.yaml',
      'nodes/cluster-role.yaml',
      'kudo-init/cluster-role.yaml',
    ].flatMap(manifests);
    const wild = rulesOf(...everything).filter((rule) =>
      [...rule.apiGroups, ...rule.resources, ...rule.verbs].includes('*'),
    );
    expect(wild).toEqual([]);
    const clusterRoles = everything.filter(({ kind }) => kind.startsWith('Cluster'));
    expect(new Set(clusterRoles.map(({ metadata }) => metadata.name))).toEqual(
      new Set(['leaderfall-nodes', 'leaderfall-kudo-init']),
    );
    expect(rulesOf(...manifests('nodes/cluster-role.yaml'))).toEqual([
      { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
    ]);
  });
});

it('own no namespace but the worker’s, so that deleting them takes nobody’s Kafka or KUDO along', () => {
  const files = ['target/role.yaml', 'kudo/role.yaml', 'kudo-init/cluster-role.yaml', 'base/namespace.yaml'];
  const namespaces = files.flatMap(manifests).filter(({ kind }) => kind === 'Namespace');
  expect(namespaces.map(({ metadata }) => metadata.name)).toEqual(['leaderfall']);
});

interface PackagesPod {
  containers: {
    env: { name: string; value: string }[];
    volumeMounts: { name: string; mountPath: string }[];
  }[];
  volumes: object[];
}

interface PodSpec {
  terminationGracePeriodSeconds: number;
  securityContext: object;
  containers: { image: string; securityContext: object; ports: { name: string }[] }[];
}

describe('the worker in deploy/', () => {
  const [deployment] = manifests('base/deployment.yaml') as unknown as {
    spec: { template: { metadata: { labels: object }; spec: PodSpec } };
  }[];
  const { metadata, spec } = deployment?.spec.template ?? ({} as never);
  const [worker] = spec.containers;

  it('runs the image of this version', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', folder), 'utf8')) as {
      version: string;
    };
    expect(worker?.image).toBe(`docker.io/leaderfall/leaderfall:${version}`);
  });

  it('finds packages where the component mounts them, by variables that it knows', () => {
    const [patch] = folderOf('packages').patches;
    const pod = parse(patch?.patch ?? '').spec.template.spec as PackagesPod;
    const [mount] = pod.containers[0]?.volumeMounts ?? [];
    const config = readConfig(
      Object.fromEntries((pod.containers[0]?.env ?? []).map(({ name, value }) => [name, value])),
    );
    const path = `${mount?.mountPath}/`;
    expect(config.defaults.kudo).toEqual({
      kafkaPackage: `${path}kafka.tgz`,
      zookeeperPackage: `${path}zookeeper.tgz`,
    });
    expect(pod.volumes).toEqual([{ name: mount?.name, configMap: { name: 'leaderfall-packages' } }]);
  });

  it('is given more time to stop than it takes', () => {
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(40);
  });

  it('is nobody special: no root, no capability, nothing to write to, the runtime’s own system calls', () => {
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(worker?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    const [space] = manifests('base/namespace.yaml');
    expect(space?.metadata.labels).toEqual({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });

  it('is asked for its metrics and nothing else', () => {
    const [policy] = manifests('base/network-policy.yaml') as unknown as Policy[];
    expect(policy?.spec.podSelector.matchLabels).toEqual(metadata.labels);
    expect(policy?.spec.ingress).toEqual([{ ports: [{ port: 'metrics' }] }]);
    expect(worker?.ports.map(({ name }) => name)).toContain('metrics');
  });
});

interface Policy {
  spec: {
    podSelector: { matchLabels: object };
    policyTypes: string[];
    ingress: { ports: { port: number | string }[] }[];
    egress: { to: { podSelector: { matchLabels: object } }[] }[];
  };
}

it('the network policy of the kafka-liveness pod selects it, and lets through what it is asked and asks', () => {
  const [policy] = manifests('network-policy/liveness.yaml') as unknown as Policy[];
  const { spec } = policy ?? ({} as never);
  expect(spec.podSelector.matchLabels).toEqual({ app: livenessPodName });
  expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
  const ports = spec.ingress.flatMap((rule) => rule.ports.map(({ port }) => port));
  expect(ports).toEqual(Object.values(livenessPorts));
  const [brokers] = spec.egress.flatMap(({ to }) => to.map(({ podSelector }) => podSelector.matchLabels));
  expect(brokers).toEqual({ app: 'kafka' });
  expect(experimentSchema.parse({}).cluster.label).toBe('app=kafka');
});
