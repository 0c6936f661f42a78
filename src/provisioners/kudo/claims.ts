import { problem } from '../../experiment/errors.ts';
import type { KubernetesObject } from '../../kubernetes/port.ts';
import type { ProvisionContext } from '../provisioner.ts';

type Looking = Pick<ProvisionContext, 'kubernetes' | 'experiment'>;

/** Volume claims of an Instance, whichever of that name they were made for: KUDO leaves them behind. */
export async function claimsOf(
  { kubernetes, experiment }: Looking,
  instance: string,
): Promise<KubernetesObject[]> {
  const kind = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace: experiment.cluster.namespace,
  };
  return (await kubernetes.list(kind, { label: `kudo.dev/instance=${instance}` })).items;
}

/** Whether an object is being deleted already. */
export function isGoing({ metadata }: KubernetesObject): boolean {
  return metadata?.deletionTimestamp !== undefined;
}

/**
 * An Instance that is made where claims of a former one lie takes over what is on them. A run would fill somebody's topics, and its
 * clean-up could not tell them from its own.
 */
export async function refuseFormerClaims(context: Looking, instance: string): Promise<void> {
  const { namespace } = context.experiment.cluster;
  const claims = (await claimsOf(context, instance)).filter((claim) => !isGoing(claim));
  if (claims.length === 0) return;
  throw problem(
    'VOLUMES_REMAIN',
    `volume claims of a former Instance ${instance} are in namespace ${namespace}: its data may be somebody’s`,
    {
      evidence: claims.map(({ metadata }) => `PersistentVolumeClaim ${metadata?.name}`),
      next: `Choose another provision.*.instance, or delete them if nobody needs them: kubectl -n ${namespace} delete pvc -l kudo.dev/instance=${instance}`,
    },
  );
}

/** Whether a claim came to be with this Instance or after it: an older one is a former Instance’s and none of a run’s to delete. */
export function isOfInstance(claim: KubernetesObject, instance: KubernetesObject): boolean {
  return madeAt(claim) >= madeAt(instance);
}

function madeAt({ metadata }: KubernetesObject): number {
  const at = metadata?.creationTimestamp;
  return at instanceof Date ? at.getTime() : Date.parse(String(at));
}
