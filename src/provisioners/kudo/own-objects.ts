import { runLabel } from '../../experiment/identity.ts';
import type { MadeObject } from '../../experiment/made.ts';
import type { KubernetesObject } from '../../kubernetes/port.ts';
import type { ProvisionContext } from '../provisioner.ts';

const apiVersion = 'kudo.dev/v1beta1';

/** Kinds that an installation is made of, each needing those after it. */
export const installedKinds = ['Instance', 'OperatorVersion', 'Operator'] as const;

/** Objects of a kind that bear this run's mark, whichever attempt made them. */
export async function ownObjects(
  { kubernetes, run, experiment }: ProvisionContext,
  kind: (typeof installedKinds)[number],
): Promise<KubernetesObject[]> {
  const { namespace } = experiment.cluster;
  const label = `${runLabel}=${run.runId}`;
  return (await kubernetes.list({ apiVersion, kind, namespace }, { label })).items;
}

/** All that this run has installed, as its result names it. */
export async function madeObjects(context: ProvisionContext): Promise<MadeObject[]> {
  const { namespace } = context.experiment.cluster;
  const made: MadeObject[] = [];
  for (const kind of installedKinds) {
    for (const { metadata } of await ownObjects(context, kind))
      made.push({ apiVersion, kind, name: metadata?.name ?? '', namespace });
  }
  return made;
}
