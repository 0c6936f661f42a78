import { problem } from '../../experiment/errors.ts';
import { type Belonging, belongingOf, managedBy } from '../../experiment/identity.ts';
import type { ProvisionContext } from '../provisioner.ts';
import { isGoing, refuseFormerClaims } from './claims.ts';
import { deployStatus, type Instance, planTree } from './plan.ts';

/** What is there under an Instance's name; `theirs`: half-done by another run, `healthy`: not this run's, and usable as it is. */
export type InstanceState =
  | { state: 'absent' | 'own' }
  | { state: 'healthy'; of?: Belonging }
  | { state: 'theirs'; of: Belonging };

/** Throws where a run cannot use, make or replace the Instance. Touches nothing. */
export async function lookAtInstance(
  context: Omit<ProvisionContext, 'progress'>,
  instance: string,
): Promise<InstanceState> {
  const { namespace } = context.experiment.cluster;
  const ref = { apiVersion: 'kudo.dev/v1beta1', kind: 'Instance', name: instance, namespace };
  const found = await context.kubernetes.read<Instance>(ref);
  if (!found) {
    await refuseFormerClaims(context, instance);
    return { state: 'absent' };
  }
  const of = belongingOf(found.metadata ?? {});
  if (of?.runId === context.run.runId) return { state: 'own' };
  if (of) await refuseWhileLive(context, instance, of);
  if (!isGoing(found) && deployStatus(found)?.status === 'COMPLETE')
    return { state: 'healthy', ...(of ? { of } : {}) };
  if (of && found.metadata?.labels?.['app.kubernetes.io/managed-by'] === managedBy)
    return { state: 'theirs', of };
  throw problem('PLAN_FATAL', `Instance ${namespace}/${instance} exists and is not healthy`, {
    evidence: planTree(instance, deployStatus(found) ?? { name: 'deploy', status: 'NEVER_RUN' }),
    next: `Repair or delete it: kubectl -n ${namespace} describe instance.kudo.dev ${instance}`,
  });
}

/** Its run removes it at its end, under whoever uses it. */
async function refuseWhileLive(
  context: Omit<ProvisionContext, 'progress'>,
  instance: string,
  of: Belonging,
): Promise<void> {
  const { state, why } = await context.standing(of);
  if (state === 'live') throw claimed(context, instance, of, why);
}

/** Throws unless the run is known to have ended: only then may what it made be removed. */
export async function ended(
  context: Omit<ProvisionContext, 'progress'>,
  instance: string,
  of: Belonging,
): Promise<void> {
  const { state, why } = await context.standing(of);
  if (state !== 'ended') throw claimed(context, instance, of, why, state === 'unknown');
}

/** The note on an Instance that is not this run's. */
export function usedAsItIs(instance: string): string {
  return `Instance ${instance} was there and healthy: it is used and stays`;
}

function claimed(
  { experiment }: Pick<ProvisionContext, 'experiment'>,
  instance: string,
  { owner, runId }: Belonging,
  why: string,
  retryable = false,
) {
  const { namespace } = experiment.cluster;
  return problem(
    'CLUSTER_CLAIMED',
    `Instance ${namespace}/${instance} belongs to the run ${owner ?? runId}: ${why}`,
    { next: 'Wait for that run to end, cancel it, or name another Instance in provision.', retryable },
  );
}
