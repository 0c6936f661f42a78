import { problem } from '../experiment/errors.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KubernetesObject, KubernetesPort } from '../kubernetes/port.ts';
import type { Provision, ProvisionContext, Provisioner } from './provisioner.ts';

/** A StatefulSet as the API has it, as far as provisioning looks. */
export interface FoundStatefulSet extends KubernetesObject {
  spec?: {
    replicas?: number;
    serviceName?: string;
    template?: {
      metadata?: { labels?: Record<string, string> };
      spec?: { terminationGracePeriodSeconds?: number };
    };
  };
}

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
): Promise<FoundStatefulSet[]> {
  const { namespace, label, statefulSet } = experiment.cluster;
  const kind = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace };
  if (statefulSet) {
    const found = await kubernetes.read<FoundStatefulSet>({ ...kind, name: statefulSet });
    return found ? [{ ...found, metadata: { ...found.metadata, name: statefulSet } }] : [];
  }
  const labelled = await kubernetes.list<FoundStatefulSet>(kind, { label });
  if (labelled.items.length > 0) return labelled.items;
  const { items } = await kubernetes.list<FoundStatefulSet>(kind);
  return items.filter(({ spec }) => matches(label, spec?.template?.metadata?.labels ?? {}));
}

/** Exactly one, or an error that names what there is. */
export async function theStatefulSet(
  kubernetes: KubernetesPort,
  experiment: ResolvedExperiment,
): Promise<FoundStatefulSet> {
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
export function ambiguous(namespace: string, wanted: string, found: FoundStatefulSet[]) {
  return problem('TARGET_AMBIGUOUS', `${found.length} StatefulSets ${wanted} are in namespace ${namespace}`, {
    evidence: found.map(({ metadata }) => metadata?.name ?? ''),
    next: 'Name one in cluster.statefulSet.',
  });
}

async function check(
  context: Omit<ProvisionContext, 'progress'>,
): Promise<{ statefulSetName: string; notes: string[] }> {
  const { kubernetes, experiment } = context;
  const { namespace, service } = experiment.cluster;
  const found = await theStatefulSet(kubernetes, experiment);
  if (!(await kubernetes.read({ apiVersion: 'v1', kind: 'Service', name: service, namespace }))) {
    const { items } = await kubernetes.list({ apiVersion: 'v1', kind: 'Service', namespace });
    throw problem('TARGET_NOT_FOUND', `there is no service ${service} in namespace ${namespace}`, {
      evidence: [
        'cluster.service',
        `services there: ${items.map(({ metadata }) => metadata?.name).join(', ')}`,
      ],
      next: `The headless service of the StatefulSet is ${found.spec?.serviceName ?? 'not set'}.`,
    });
  }
  return { statefulSetName: found.metadata?.name ?? '', notes: [] };
}

async function provision(context: ProvisionContext): Promise<Provision> {
  const { namespace } = context.experiment.cluster;
  const found = await theStatefulSet(context.kubernetes, context.experiment);
  return {
    statefulSet: {
      namespace,
      name: found.metadata?.name ?? '',
      uid: found.metadata?.uid ?? '',
      replicas: found.spec?.replicas ?? 1,
    },
    gracePeriodSeconds: found.spec?.template?.spec?.terminationGracePeriodSeconds ?? 30,
    made: [],
    packages: [],
    notes: [],
  };
}

/** Equality selectors only (`a=b,c=d`), which is what ChaosEngines hold. */
function matches(selector: string, labels: Record<string, string>): boolean {
  return selector.split(',').every((part) => {
    const [key = '', value = ''] = part.split(/==?/);
    return labels[key.trim()] === value.trim();
  });
}
