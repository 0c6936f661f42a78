import { problem } from '../experiment/errors.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KubernetesObject, KubernetesPort } from '../kubernetes/port.ts';
import { ambiguous, existingProvisioner, matchingStatefulSets, theStatefulSet } from './existing.ts';
import { kudoProvisioner } from './kudo/kudo.ts';
import type { Provisioner } from './provisioner.ts';

/** Every provisioner by its name in results. */
export const provisioners: Record<Provisioner['name'], Provisioner> = {
  existing: existingProvisioner,
  kudo: kudoProvisioner,
};

/**
 * Which provisioner serves the experiment. auto: exactly one matching StatefulSet is used as it is, several are an error, none
 * means KUDO where both packages are known.
 */
export async function chooseProvisioner(context: {
  kubernetes: KubernetesPort;
  experiment: ResolvedExperiment;
}): Promise<{ provisioner: Provisioner; statefulSet?: { name: string } }> {
  const { experiment } = context;
  const { provision, cluster } = experiment;
  if (provision.mode === 'kudo') return { provisioner: kudoProvisioner };
  const existing = ({ metadata }: KubernetesObject) => ({
    provisioner: existingProvisioner,
    statefulSet: { name: metadata?.name ?? '' },
  });
  if (provision.mode === 'existing') return existing(await theStatefulSet(context.kubernetes, experiment));
  const found = await matchingStatefulSets(context.kubernetes, experiment);
  const [only] = found;
  if (found.length > 1) throw ambiguous(cluster.namespace, `with label ${cluster.label}`, found);
  if (only) return existing(only);
  if (provision.zookeeper.package && provision.kafka.package) return { provisioner: kudoProvisioner };
  throw problem(
    'TARGET_NOT_FOUND',
    `there is no Kafka in namespace ${cluster.namespace}, and none can be made`,
    {
      evidence: [`no StatefulSet with label ${cluster.label}`, 'no KUDO packages are configured'],
      next: 'Correct cluster.label or cluster.statefulSet, or configure LEADERFALL_KUDO_ZOOKEEPER_PACKAGE and LEADERFALL_KUDO_KAFKA_PACKAGE on the worker.',
    },
  );
}
