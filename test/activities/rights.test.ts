import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { credentialsSecret } from '../../scripts/role-manifests.ts';
import { describePermission, makeResolve } from '../../src/activities/resolve.ts';
import { makeSweep } from '../../src/activities/sweep.ts';
import type { Permission } from '../../src/kubernetes/port.ts';
import { attempt, fakeKafka, refusal, type Scene, scene } from './step-support.ts';

interface Role {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[];
}

/** What a role allows, one right after another; as a kustomization binds it, in the Kafka's namespace unless it names another. */
function rightsOf(folder: string, file = 'role.yaml'): Permission[] {
  const text = readFileSync(new URL(`../../deploy/kustomize/${folder}/${file}`, import.meta.url), 'utf8');
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Role)
    .flatMap(({ kind, metadata, rules = [] }) => {
      const scope = kind.startsWith('Cluster') ? {} : { namespace: metadata.namespace ?? 'kafka' };
      return rules.flatMap(({ apiGroups, resources, verbs, resourceNames: [name] = [] }) =>
        resources.flatMap((whole) => {
          const [resource = '', subresource] = whole.split('/');
          const what = { resource, ...(subresource ? { subresource } : {}), ...(name ? { name } : {}) };
          return verbs.map((verb) => ({ verb, group: apiGroups[0] ?? '', ...what, ...scope }));
        }),
      );
    });
}

/** As the API server decides: a right that names no namespace holds in all of them. */
function missingFrom(held: Permission[]): Scene['kubernetes']['missingPermissions'] {
  const allowed = new Set(held.map(describePermission));
  return async (wanted) =>
    wanted.filter((one) => {
      const { namespace: _, ...anywhere } = one;
      return !allowed.has(describePermission(one)) && !allowed.has(describePermission(anywhere));
    });
}

const crash = { kind: 'crash', privileged: true };
const tls = { caSecret: credentialsSecret };
const sasl = { mechanism: 'SCRAM-SHA-512', secret: credentialsSecret };
const existing = { cluster: { namespace: 'kafka', tls, sasl }, reach: 'auto', fault: crash };
const made = { cluster: { namespace: 'kafka' }, provision: { mode: 'kudo' } };

/** A run on a cluster where it holds these rights. */
async function resolved(input: object, held: Permission[]) {
  const at = await scene(fakeKafka());
  at.deps.defaults = { ...at.deps.defaults, allowedFaults: ['crash'] };
  at.kubernetes.missingPermissions = missingFrom(held);
  return attempt<unknown, unknown>(makeResolve(at.deps), input);
}

const run = [rightsOf('target'), rightsOf('credentials'), rightsOf('crash')].flat();
const kudo = [rightsOf('target'), rightsOf('kudo'), rightsOf('kudo-init', 'cluster-role.yaml')].flat();

describe.each([
  ['target', existing, run, rightsOf('target')],
  ['credentials', existing, run, rightsOf('credentials')],
  ['crash', existing, run, rightsOf('crash')],
  ['kudo', made, kudo, rightsOf('kudo')],
  ['kudo-init', made, kudo, rightsOf('kudo-init', 'cluster-role.yaml')],
])('role %s', (_, input, held, rights) => {
  test.each(rights.map((right) => [describePermission(right), right] as const))(
    'without %s a run says so',
    async (text) => {
      const others = held.filter((right) => describePermission(right) !== text);
      const refused = await refusal(text === listLeases ? swept(others) : resolved(input, others));
      expect(refused).toMatchObject({ code: 'PERMISSION_MISSING', evidence: [text] });
    },
  );
});

/** Only the janitor needs it: it looks for what runs have left. */
const listLeases = 'list leases.coordination.k8s.io in namespace kafka';

async function swept(held: Permission[]) {
  const at = await scene(fakeKafka());
  at.kubernetes.missingPermissions = missingFrom(held);
  return await attempt(makeSweep(at.deps), { namespaces: ['kafka'] });
}

test('without role nodes a run goes on, and says what it does not see', async () => {
  const plain = { cluster: { namespace: 'kafka' }, reach: 'direct' };
  const note = 'cordoned nodes are not seen: the worker may not get nodes';
  const seeing = [...run, ...rightsOf('nodes', 'cluster-role.yaml')];
  expect(await resolved(plain, run)).toMatchObject({
    seesNodes: false,
    notes: expect.arrayContaining([note]),
  });
  expect(await resolved(plain, seeing)).toMatchObject({
    seesNodes: true,
    notes: expect.not.arrayContaining([note]),
  });
});
