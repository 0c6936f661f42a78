import { problem } from '../experiment/errors.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KubernetesObject, KubernetesPort } from '../kubernetes/port.ts';
import { type Pod, podNames, type StatefulSet, statefulSetRef } from '../kubernetes/workloads.ts';
import type { Checked, Provision, ProvisionContext, Provisioner } from './provisioner.ts';

/** Any StatefulSet that is already there. Makes nothing, removes nothing. */
export const existingProvisioner: Provisioner = {
  name: 'existing',
  permissions: async () => [],
  check,
  provision,
  remove: async () => [],
};

/** StatefulSets that the experiment's name or label selects. The label may stand on the StatefulSet or on its pods' template. */
export async function matchingStatefulSets(
  kubernetes: KubernetesPort,
  experiment: ResolvedExperiment,
): Promise<StatefulSet[]> {
  const { namespace, label, statefulSet } = experiment.cluster;
  const kind = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace };
  if (statefulSet) {
    const found = await kubernetes.read<StatefulSet>({ ...kind, name: statefulSet });
    return found ? [{ ...found, metadata: { ...found.metadata, name: statefulSet } }] : [];
  }
  const labelled = await kubernetes.list<StatefulSet>(kind, { label });
  if (labelled.items.length > 0) return labelled.items;
  const { items } = await kubernetes.list<StatefulSet>(kind);
  const pairs = equalities(label);
  if (!pairs) return await ownersOfPods(kubernetes, items, { namespace, label });
  const labelsOf = ({ spec }: StatefulSet) => spec?.template?.metadata?.labels ?? {};
  return items.filter((item) => pairs.every(([key, value]) => labelsOf(item)[key] === value));
}

/** Exactly one, or an error that names what there is. */
export async function theStatefulSet(
  kubernetes: KubernetesPort,
  experiment: ResolvedExperiment,
): Promise<StatefulSet> {
  const { namespace, label, statefulSet } = experiment.cluster;
  const found = await matchingStatefulSets(kubernetes, experiment);
  const wanted = statefulSet ?? `with label ${label}`;
  if (found.length > 1) throw ambiguous(namespace, wanted, found);
  const [only] = found;
  if (only) return only;
  throw problem('TARGET_NOT_FOUND', `there is no StatefulSet ${wanted} in namespace ${namespace}`, {
    evidence: [statefulSet ? 'cluster.statefulSet' : 'cluster.label'],
    next: `kubectl -n ${namespace} get statefulsets --show-labels`,
  });
}

/** The error for several matching StatefulSets. */
export function ambiguous(namespace: string, wanted: string, found: StatefulSet[]) {
  return problem('TARGET_AMBIGUOUS', `${found.length} StatefulSets ${wanted} are in namespace ${namespace}`, {
    evidence: found.map(({ metadata }) => metadata?.name ?? ''),
    next: 'Name one in cluster.statefulSet.',
  });
}

async function check(context: Omit<ProvisionContext, 'progress'>): Promise<Checked> {
  const { kubernetes, experiment } = context;
  const { namespace } = experiment.cluster;
  const found = await theStatefulSet(kubernetes, experiment);
  await checkService(kubernetes, experiment, found);
  const statefulSet = statefulSetRef(found, namespace);
  return {
    statefulSetName: statefulSet.name,
    isThere: true,
    needsOptIn: true,
    makes: [],
    pods: podNames(statefulSet),
    notes: [],
  };
}

interface Service extends KubernetesObject {
  spec?: { clusterIP?: string };
}

/**
 * The service under which the brokers' pods have their DNS names, by which they are first asked whatever they advertise. Throws
 * TARGET_NOT_FOUND.
 */
async function checkService(
  kubernetes: KubernetesPort,
  { cluster }: ResolvedExperiment,
  { metadata, spec }: StatefulSet,
): Promise<void> {
  const { namespace } = cluster;
  const own = spec?.serviceName;
  const { service = own } = cluster;
  if (!service) {
    throw problem('TARGET_NOT_FOUND', `StatefulSet ${metadata?.name} names no headless service`, {
      evidence: ['cluster.service'],
      next: 'Name the service under which the brokers’ pods have their DNS names.',
    });
  }
  const next = `The headless service of the StatefulSet is ${own || 'not set'}.`;
  const there = await kubernetes.read<Service>({
    apiVersion: 'v1',
    kind: 'Service',
    name: service,
    namespace,
  });
  if (!there) {
    const { items } = await kubernetes.list({ apiVersion: 'v1', kind: 'Service', namespace });
    throw problem('TARGET_NOT_FOUND', `there is no service ${service} in namespace ${namespace}`, {
      evidence: ['cluster.service', `services there: ${items.map((item) => item.metadata?.name).join(', ')}`],
      next,
    });
  }
  const { clusterIP } = there.spec ?? {};
  // Pods are named after the StatefulSet's own service, which the cluster's DNS tells even where that has an address of its own.
  if (!own || service === own || clusterIP === 'None') return;
  throw problem(
    'TARGET_NOT_FOUND',
    `service ${service} gives the brokers’ pods no names: it is not headless`,
    {
      evidence: ['cluster.service', `its clusterIP: ${clusterIP || 'not set'}`],
      next,
    },
  );
}

async function provision(context: ProvisionContext): Promise<Provision> {
  const { namespace } = context.experiment.cluster;
  const found = await theStatefulSet(context.kubernetes, context.experiment);
  return {
    statefulSet: statefulSetRef(found, namespace),
    gracePeriodSeconds: found.spec?.template?.spec?.terminationGracePeriodSeconds ?? 30,
    made: [],
    packages: [],
    notes: [],
  };
}

/** Pairs of a selector that says nothing but `a=b,c==d`; undefined of any other, which the API server understands. */
function equalities(selector: string): [string, string][] | undefined {
  const pairs = selector.split(',').map((part) => /^\s*([^\s!=]+)\s*==?\s*([^\s=]*)\s*$/.exec(part));
  if (pairs.some((pair) => pair === null)) return undefined;
  return pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']);
}

/** StatefulSets that own pods which a selector of any kind selects. */
async function ownersOfPods(
  kubernetes: KubernetesPort,
  statefulSets: StatefulSet[],
  { namespace, label }: { namespace: string; label: string },
): Promise<StatefulSet[]> {
  const { items } = await kubernetes.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace }, { label });
  const owners = new Set(
    items.flatMap(({ metadata }) =>
      ((metadata?.ownerReferences ?? []) as { uid?: string }[]).map(({ uid }) => uid),
    ),
  );
  return statefulSets.filter(({ metadata }) => owners.has(metadata?.uid));
}
