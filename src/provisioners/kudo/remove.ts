import {
  expiresAnnotation,
  keepAnnotation,
  namespaceIdAnnotation,
  ownerAnnotation,
  runLabel,
} from '../../experiment/identity.ts';
import type { Leftover } from '../../experiment/result.ts';
import type { KubernetesObject, ObjectRef } from '../../kubernetes/port.ts';
import { pause } from '../../kubernetes/wait.ts';
import type { ProvisionContext } from '../provisioner.ts';
import { claimsOf, isGoing, isOfInstance } from './claims.ts';
import { refOf } from './init-objects.ts';
import { installedKinds, madeObjects, ownObjects } from './own-objects.ts';

const apiVersion = 'kudo.dev/v1beta1';

/** A StatefulSet's controller that has not heard yet that it is gone may make a claim anew. ms */
const settledMs = 1_000;

/** Longest grace of a broker pod in the public package, and some room for the garbage collector. */
const goneSeconds = 360;

/**
 * Removes every Instance that this run made, Kafka wholly gone before ZooKeeper (a broker that cannot reach ZooKeeper hangs in
 * its shutdown for up to 300 s), then their volume claims, then OperatorVersions and Operators of this run that nobody uses.
 */
export async function removeInstalled(context: ProvisionContext): Promise<Leftover[]> {
  const { kubernetes } = context;
  const { cluster, provision } = context.experiment;
  const leftovers: Leftover[] = [];
  const own = await ownObjects(context, 'Instance');
  const isZooKeeper = (instance: KubernetesObject) =>
    nameOf(instance) === provision.zookeeper.instance ||
    instance.metadata?.labels?.['kudo.dev/operator'] === 'zookeeper';
  const inOrder = [...own.filter((one) => !isZooKeeper(one)), ...own.filter(isZooKeeper)];
  for (const instance of inOrder) leftovers.push(...(await removeInstance(context, nameOf(instance))));
  const inUse = await versionsInUse(context);
  for (const version of await ownObjects(context, 'OperatorVersion')) {
    if (!inUse.has(nameOf(version))) await removeOne(context, refOf(version));
  }
  const operatorsInUse = new Set(
    (await kubernetes.list({ apiVersion, kind: 'OperatorVersion', namespace: cluster.namespace })).items.map(
      (version) => (version.spec as { operator?: { name?: string } } | undefined)?.operator?.name,
    ),
  );
  for (const operator of await ownObjects(context, 'Operator')) {
    if (!operatorsInUse.has(nameOf(operator))) await removeOne(context, refOf(operator));
  }
  for (const { kind, name, namespace } of await madeObjects(context))
    leftovers.push({ kind, name, namespace, reason: 'still there or in use' });
  return leftovers;
}

/** Takes the run's marks off what it installed, so that nothing removes it later. */
export async function keepInstalled(context: ProvisionContext): Promise<void> {
  for (const kind of installedKinds) {
    for (const object of await ownObjects(context, kind)) {
      const annotations = {
        [expiresAnnotation]: null,
        [ownerAnnotation]: null,
        [namespaceIdAnnotation]: null,
        [keepAnnotation]: null,
      };
      await context.kubernetes.mergePatch(refOf(object), {
        metadata: { labels: { [runLabel]: null, 'app.kubernetes.io/managed-by': null }, annotations },
      });
    }
  }
}

/**
 * Deletes one Instance with all its pods and the volume claims that came with it, and waits until they are gone. The claims are
 * deleted while the Instance still shows whose they are, as soon as no StatefulSet makes new ones: the API server keeps each until its
 * pod is gone.
 */
export async function removeInstance(context: ProvisionContext, instance: string): Promise<Leftover[]> {
  const { kubernetes } = context;
  const { namespace } = context.experiment.cluster;
  const label = `kudo.dev/instance=${instance}`;
  const ref = { apiVersion, kind: 'Instance', name: instance, namespace };
  const object = await kubernetes.read(ref);
  if (!object) return [];
  await kubernetes.remove(ref, { uid: object.metadata?.uid, propagation: 'Foreground' });
  const owned = [
    { apiVersion: 'apps/v1', kind: 'StatefulSet' },
    { apiVersion: 'batch/v1', kind: 'Job' },
    { apiVersion: 'v1', kind: 'Pod' },
  ];
  const left = (kind: string, { metadata }: KubernetesObject): Leftover => ({
    kind,
    name: metadata?.name ?? '',
    namespace,
    reason: 'not gone in time',
  });
  const claims = async (): Promise<Leftover[]> => {
    const own = (await claimsOf(context, instance)).filter((claim) => isOfInstance(claim, object));
    for (const claim of own) if (!isGoing(claim)) await removeOne(context, refOf(claim));
    return own.map((claim) => left('PersistentVolumeClaim', claim));
  };
  const remaining = async (): Promise<Leftover[]> => {
    const found = (await kubernetes.read(ref)) ? [left('Instance', object)] : [];
    let makers = 0;
    for (const kind of owned) {
      const { items } = await kubernetes.list({ ...kind, namespace }, { label });
      found.push(...items.map((item) => left(kind.kind, item)));
      if (kind.kind === 'StatefulSet') makers = items.filter((item) => !isGoing(item)).length;
    }
    if (makers === 0) await claims();
    return found;
  };
  const stuck = await gone(context, instance, remaining);
  const held = await gone(context, instance, claims);
  if (held.length > 0) return [...stuck, ...held];
  await pause(settledMs, context.signal);
  return [...stuck, ...(await gone(context, instance, claims))];
}

async function gone(
  context: ProvisionContext,
  instance: string,
  remaining: () => Promise<Leftover[]>,
): Promise<Leftover[]> {
  const deadline = Date.now() + goneSeconds * 1_000;
  for (;;) {
    const found = await remaining();
    if (found.length === 0 || Date.now() > deadline) return found;
    context.progress([
      `removing ${instance}: ${found.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`,
    ]);
    await pause(500, context.signal);
  }
}

async function versionsInUse(context: ProvisionContext): Promise<Set<string>> {
  const { namespace } = context.experiment.cluster;
  const { items } = await context.kubernetes.list({ apiVersion, kind: 'Instance', namespace });
  return new Set(
    items.map(
      (item) =>
        (item.spec as { operatorVersion?: { name?: string } } | undefined)?.operatorVersion?.name ?? '',
    ),
  );
}

async function removeOne(context: ProvisionContext, ref: ObjectRef): Promise<void> {
  await context.kubernetes.remove(ref, { propagation: 'Background' });
}

function nameOf(object: KubernetesObject): string {
  return object.metadata?.name ?? '';
}
