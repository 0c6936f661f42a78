import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { janitorPermissions, runPermissions } from '../../src/activities/permissions.ts';
import { experimentSchema, type ResolvedExperiment } from '../../src/experiment/spec.ts';
import { faultOf } from '../../src/faults/all-faults.ts';
import { crashNamespace } from '../../src/faults/crash/pod.ts';
import { crashBroker } from '../../src/faults/crash-broker.ts';
import type { KubernetesPort, Permission } from '../../src/kubernetes/port.ts';
import { kudoProvisioner } from '../../src/provisioners/kudo/kudo.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: Rule[];
}

const folder = new URL('../../deploy/kustomize/', import.meta.url);

function manifests(path: string): Manifest[] {
  return parseAllDocuments(readFileSync(new URL(path, folder), 'utf8')).map(
    (document) => document.toJS() as Manifest,
  );
}

/** Whether one of the rules grants the permission, for the object that it names or else for all. */
function grants(rules: Rule[], { verb, group, resource, subresource, name }: Permission): boolean {
  const wanted = subresource ? `${resource}/${subresource}` : resource;
  return rules.some(
    (rule) =>
      (!rule.resourceNames || (name !== undefined && rule.resourceNames.includes(name))) &&
      rule.apiGroups.includes(group) &&
      rule.resources.includes(wanted) &&
      rule.verbs.includes(verb),
  );
}

const rulesOf = (...all: Manifest[]) => all.flatMap(({ rules }) => rules ?? []);
const target = rulesOf(...manifests('target/role.yaml'));
const kudo = rulesOf(...manifests('kudo/role.yaml'));
const init = manifests('kudo-init/cluster-role.yaml');

const experiment = experimentSchema.parse({ cluster: { namespace: 'kafka' } }) as ResolvedExperiment;
/** A cluster in which nothing exists: KUDO has to be made too. */
const empty = { read: async () => undefined } as unknown as KubernetesPort;

describe('roles in deploy/', () => {
  it('grant a run on an existing Kafka every right that it declares', () => {
    const declared = [...runPermissions(experiment), ...faultOf(experiment).permissions('kafka')];
    expect(declared.length).toBeGreaterThan(10);
    expect(declared.filter((permission) => !grants(target, permission))).toEqual([]);
  });

  it('grant the janitor what it needs where it looks', () => {
    const declared = janitorPermissions('kafka');
    expect(declared.filter((permission) => !grants(target, permission))).toEqual([]);
  });

  it('grant fault crash its rights in the namespace of its own, and no other role does', () => {
    const { permissions } = crashBroker;
    const crash = manifests('crash/role.yaml');
    const declared = permissions('kafka');
    expect(declared.length).toBeGreaterThan(4);
    for (const { namespace } of [...declared, ...crash.map(({ metadata }) => metadata)])
      expect(namespace).toBe(crashNamespace);
    expect(declared.filter((permission) => !grants(rulesOf(...crash), permission))).toEqual([]);
    const [space] = manifests('crash/namespace.yaml');
    expect(space?.metadata).toMatchObject({
      name: crashNamespace,
      labels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
    });
    const everything = readFileSync(new URL('all/kustomization.yaml', folder), 'utf8');
    expect(everything).not.toContain('crash');
  });

  it('grant a run with KUDO every right that it declares, each in its own place', async () => {
    const declared = await kudoProvisioner.permissions({ kubernetes: empty, experiment });
    const clusterWide = rulesOf(...init.filter(({ kind }) => kind === 'ClusterRole'));
    const inSystem = rulesOf(...init.filter(({ kind }) => kind === 'Role'));
    const missing = declared.filter((permission) => {
      if (permission.namespace === undefined) return !grants(clusterWide, permission);
      return !grants(permission.namespace === 'kudo-system' ? inSystem : [...target, ...kudo], permission);
    });
    expect(declared).toContainEqual(expect.objectContaining({ verb: 'bind', name: 'cluster-admin' }));
    expect(missing).toEqual([]);
  });

  it('allow no wildcard, and nothing cluster-wide outside the KUDO-init role', () => {
    const everything = [
      'target/role.yaml',
      'kudo/role.yaml',
      'crash/role.yaml',
      'kudo-init/cluster-role.yaml',
    ].flatMap(manifests);
    const wild = rulesOf(...everything).filter((rule) =>
      [...rule.apiGroups, ...rule.resources, ...rule.verbs].includes('*'),
    );
    expect(wild).toEqual([]);
    const clusterRoles = everything.filter(({ kind }) => kind.startsWith('Cluster'));
    expect(new Set(clusterRoles.map(({ metadata }) => metadata.name))).toEqual(
      new Set(['leaderfall-kudo-init']),
    );
  });
});

it('own no namespace but the worker’s, so that deleting them takes nobody’s Kafka or KUDO along', () => {
  const files = ['target/role.yaml', 'kudo/role.yaml', 'kudo-init/cluster-role.yaml', 'base/namespace.yaml'];
  const namespaces = files.flatMap(manifests).filter(({ kind }) => kind === 'Namespace');
  expect(namespaces.map(({ metadata }) => metadata.name)).toEqual(['leaderfall']);
});

describe('the worker in deploy/', () => {
  const [deployment] = manifests('base/deployment.yaml') as unknown as {
    spec: { template: { spec: { terminationGracePeriodSeconds: number; containers: { image: string }[] } } };
  }[];

  it('runs the image of this version', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', folder), 'utf8')) as {
      version: string;
    };
    expect(deployment?.spec.template.spec.containers[0]?.image).toBe(
      `docker.io/leaderfall/leaderfall:${version}`,
    );
  });

  it('is given more time to stop than it takes', () => {
    expect(deployment?.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(40);
  });
});
