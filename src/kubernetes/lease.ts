import { problem } from '../experiment/errors.ts';
import {
  killAnnotation,
  leaseName,
  namespaceIdAnnotation,
  ownerOf,
  type RunIdentity,
  requestAnnotation,
  runAnnotations,
  runLabels,
} from '../experiment/identity.ts';
import type { KubernetesObject, KubernetesPort, OwnerReference } from './port.ts';

/** The claim of a run on a cluster: a Lease in the Kafka's namespace. */
export interface ClaimRequest {
  kubernetes: KubernetesPort;
  run: RunIdentity;
  namespace: string;
  /** Name of the StatefulSet, which names the Lease. */
  statefulSet: string;
  /** The claim lapses by itself after this. */
  durationSeconds: number;
  /** Epoch ms written as expiry. */
  expires: number;
  /** What the run was asked to do; kept on the Lease, so that what it made can be found without its history. */
  request?: object;
  /** Whether the run that holds it, `<temporal namespace>/<workflow id>/<run id>`, is over; with that namespace's id where it is known. */
  isClosed: (holder: string, temporalNamespaceId?: string) => Promise<boolean>;
}

interface Lease extends KubernetesObject {
  spec?: { holderIdentity?: string; leaseDurationSeconds?: number; acquireTime?: string; renewTime?: string };
}

/** Takes the claim, or throws CLUSTER_CLAIMED naming the holder. Taking it twice for one run is taking it once. */
export async function takeClaim(request: ClaimRequest): Promise<void> {
  const { kubernetes } = request;
  const wanted = leaseOf(request);
  if ((await kubernetes.create(wanted)) !== 'exists') return;
  const found = await kubernetes.read<Lease>(refOf(request));
  if (!found) return await takeClaim(request);
  const holder = found.spec?.holderIdentity ?? '';
  if (holder === ownerOf(request.run)) return;
  const namespaceId = found.metadata?.annotations?.[namespaceIdAnnotation];
  if (!hasLapsed(found, Date.now()) && !(await request.isClosed(holder, namespaceId)))
    throw claimed(request, found);
  const metadata = { ...wanted.metadata, resourceVersion: found.metadata?.resourceVersion };
  // Another run may be taking it over at this very moment: only one replace succeeds.
  if ((await kubernetes.replace({ ...wanted, metadata })) === 'conflict') await takeClaim(request);
}

/**
 * Gives the claim up if it still is this run's. True where it was. Who takes a claim over keeps its Lease, UID included: only as it was
 * read it may be removed, or another run would lose its own.
 */
export async function releaseClaim(request: OwnClaim): Promise<boolean> {
  const ref = refOf(request);
  for (;;) {
    const found = await request.kubernetes.read<Lease>(ref);
    if (found?.spec?.holderIdentity !== ownerOf(request.run)) return false;
    const { uid, resourceVersion } = found.metadata ?? {};
    const { outcome } = await request.kubernetes.remove(ref, { uid, resourceVersion });
    if (outcome !== 'written') return outcome === 'deleted';
  }
}

/** A claim of that run, whatever stands on it. */
export type OwnClaim = Pick<ClaimRequest, 'kubernetes' | 'run' | 'namespace' | 'statefulSet'>;

/** Writes on this run's claim what is about to be done, or takes it back. False where the claim is not this run's any more. */
export async function markClaim(request: OwnClaim, mark: string | undefined): Promise<boolean> {
  for (;;) {
    const found = await request.kubernetes.read<Lease>(refOf(request));
    if (found?.spec?.holderIdentity !== ownerOf(request.run)) return false;
    const { [killAnnotation]: former, ...others } = found.metadata?.annotations ?? {};
    if (former === mark) return true;
    const annotations = mark === undefined ? others : { ...others, [killAnnotation]: mark };
    const marked = { ...found, ...refWithoutName(request), metadata: { ...found.metadata, annotations } };
    if ((await request.kubernetes.replace(marked)) !== 'conflict') return true;
  }
}

/**
 * This run's claim as the owner of what is to go with it. Throws CLUSTER_CLAIMED where it is not this run's any more: whoever stood
 * still until the run had been cleaned up must not make anything that nobody would remove.
 */
export async function heldClaim(request: OwnClaim): Promise<OwnerReference> {
  const found = await request.kubernetes.read<Lease>(refOf(request));
  const { name, uid } = found?.metadata ?? {};
  const holder = found?.spec?.holderIdentity;
  if (name && uid && holder === ownerOf(request.run)) return { ...refWithoutName(request), name, uid };
  const { namespace, statefulSet } = request;
  throw problem('CLUSTER_CLAIMED', `this run has no claim on ${namespace}/${statefulSet} any more`, {
    evidence: [`Lease ${namespace}/${leaseName(statefulSet)}: ${found ? `held by ${holder}` : 'not there'}`],
    next: 'The run was over already, or somebody removed its Lease: start another one.',
  });
}

/** What stands on this run's claim. */
export async function claimMark(request: OwnClaim): Promise<string | undefined> {
  const found = await request.kubernetes.read<Lease>(refOf(request));
  return found?.spec?.holderIdentity === ownerOf(request.run)
    ? found.metadata?.annotations?.[killAnnotation]
    : undefined;
}

/** Whether a Lease has run out at `now` (epoch ms). */
export function hasLapsed(lease: Lease, now: number): boolean {
  return lapsesAt(lease) < now;
}

/** Epoch ms; one without times lapsed before all time. */
function lapsesAt({ spec: { renewTime, leaseDurationSeconds } = {} }: Lease): number {
  if (!renewTime || leaseDurationSeconds === undefined) return Number.NEGATIVE_INFINITY;
  return Date.parse(renewTime) + leaseDurationSeconds * 1_000;
}

function claimed({ run, namespace, statefulSet }: ClaimRequest, lease: Lease) {
  const holder = lease.spec?.holderIdentity ?? '';
  const evidence = [`Lease ${namespace}/${leaseName(statefulSet)}`];
  const id = lease.metadata?.annotations?.[namespaceIdAnnotation];
  const isNamesake = run.temporalNamespaceId !== undefined && holder.startsWith(`${run.temporalNamespace}/`);
  // Whoever looks for that run in the Temporal at hand finds none.
  if (id && isNamesake && id !== run.temporalNamespaceId) {
    const lapses = new Date(lapsesAt(lease)).toISOString();
    evidence.push(`that run is of another Temporal server (namespace id ${id}); its claim lapses ${lapses}`);
  }
  return problem('CLUSTER_CLAIMED', `another run holds ${namespace}/${statefulSet}: ${holder}`, {
    evidence,
    next: 'Wait for that run to end, or cancel it.',
  });
}

function leaseOf(request: ClaimRequest): Lease {
  const now = new Date().toISOString().replace('Z', '000Z');
  return {
    ...refWithoutName(request),
    metadata: {
      name: leaseName(request.statefulSet),
      namespace: request.namespace,
      labels: runLabels(request.run),
      annotations: {
        ...runAnnotations(request.run, request.expires),
        ...(request.request ? { [requestAnnotation]: JSON.stringify(request.request) } : {}),
      },
    },
    spec: {
      holderIdentity: ownerOf(request.run),
      leaseDurationSeconds: request.durationSeconds,
      acquireTime: now,
      renewTime: now,
    },
  };
}

function refOf(request: Pick<ClaimRequest, 'namespace' | 'statefulSet'>) {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    name: leaseName(request.statefulSet),
    namespace: request.namespace,
  };
}

function refWithoutName(request: Pick<ClaimRequest, 'namespace' | 'statefulSet'>) {
  const { apiVersion, kind } = refOf(request);
  return { apiVersion, kind };
}
