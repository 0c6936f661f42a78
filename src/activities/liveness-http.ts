import type { StartedLiveness } from '../experiment/result.ts';
import { packSpans } from '../experiment/spans.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import type { Pod } from '../kubernetes/workloads.ts';
import type { ReadReport } from '../liveness/ledger/read-report.ts';
import {
  type ConsumerReport,
  livenessPorts,
  type ObserverReport,
  type ProducerReport,
} from '../liveness/protocol.ts';
import type { SideReport, SideRequest } from '../liveness/series.ts';

type LivenessRef = Pick<StartedLiveness, 'namespace' | 'pod'>;
type Role = keyof typeof livenessPorts;

/** A report of one container, or undefined where it does not answer. */
export function producerReport(
  kubernetes: KubernetesPort,
  pod: LivenessRef,
  timeoutMs?: number,
): Promise<ProducerReport | undefined> {
  return ask<ProducerReport>(kubernetes, pod, 'producer', 'GET', '/report', timeoutMs);
}

/** A report of one container, or undefined where it does not answer. */
export function consumerReport(
  kubernetes: KubernetesPort,
  pod: LivenessRef,
  timeoutMs?: number,
): Promise<ConsumerReport | undefined> {
  return ask<ConsumerReport>(kubernetes, pod, 'consumer', 'GET', '/report', timeoutMs);
}

/**
 * The observer's changes since an epoch ms of its own clock, or undefined where it does not answer. Its clock is compared with ours
 * at the middle of the round trip, which is off by half of it at most.
 */
export async function observerReport(
  kubernetes: KubernetesPort,
  pod: LivenessRef,
  since: number,
): Promise<ObserverReport | undefined> {
  const askedAt = Date.now();
  const report = await ask<ObserverReport>(kubernetes, pod, 'observer', 'GET', `/report?since=${since}`);
  return report && { ...report, aheadMs: report.now - (askedAt + Date.now()) / 2 };
}

/** Tells producer and consumer that the stream has begun to flow; those of an earlier image count from its beginning. */
export async function announceSteady(kubernetes: KubernetesPort, pod: LivenessRef): Promise<void> {
  const tell = (role: Role) => ask(kubernetes, pod, role, 'POST', '/steady');
  await Promise.all([tell('producer'), tell('consumer')]);
}

/** Tells the consumer that the producer is about to stop. */
export async function announceStop(kubernetes: KubernetesPort, pod: LivenessRef): Promise<void> {
  await ask(kubernetes, pod, 'consumer', 'POST', '/producer-stops');
}

/** Stops the producer and waits for its last outcome. */
export function stopProducer(
  kubernetes: KubernetesPort,
  pod: LivenessRef,
): Promise<ProducerReport | undefined> {
  return ask<ProducerReport>(kubernetes, pod, 'producer', 'POST', '/stop', 15_000);
}

/** Lets the consumer read to the log's end. */
export function closeConsumer(
  kubernetes: KubernetesPort,
  pod: LivenessRef,
): Promise<ConsumerReport | undefined> {
  return ask<ConsumerReport>(kubernetes, pod, 'consumer', 'POST', '/close', 30_000);
}

/** What a consumer that has given up left in the pod, or undefined where it left nothing. */
export function consumerLeft(
  kubernetes: KubernetesPort,
  pod: LivenessRef,
): Promise<ConsumerReport | undefined> {
  return ask<ConsumerReport>(kubernetes, pod, 'observer', 'GET', '/consumer/report');
}

/** Lets a container read the whole log, once more; undefined where it did not come to the end. */
export function readLogAgain(
  kubernetes: KubernetesPort,
  pod: LivenessRef,
  role: 'consumer' | 'observer',
): Promise<ReadReport | undefined> {
  return ask<ReadReport>(kubernetes, pod, role, 'POST', '/again', 70_000);
}

/** What a container recorded by the second, or left behind; undefined where it did neither. */
export async function sideReport(
  kubernetes: KubernetesPort,
  pod: LivenessRef,
  role: 'producer' | 'consumer',
  { stepMs, spans, since, from, to }: SideRequest,
): Promise<SideReport | undefined> {
  const query = new URLSearchParams({
    stepMs: String(stepMs),
    spans: packSpans(spans),
    since: String(since),
    ...(from === undefined ? {} : { from: String(from) }),
    ...(to === undefined ? {} : { to: String(to) }),
  });
  const found = await ask<SideReport>(kubernetes, pod, role, 'GET', `/series?${query}`);
  if (found || role === 'producer') return found;
  return await ask<SideReport>(kubernetes, pod, 'observer', 'GET', `/consumer/series?${query}`);
}

async function ask<T>(
  kubernetes: KubernetesPort,
  pod: LivenessRef,
  role: Role,
  method: 'GET' | 'POST',
  path: string,
  timeoutMs = 3_000,
): Promise<T | undefined> {
  const target = { namespace: pod.namespace, name: pod.pod, port: livenessPorts[role] };
  try {
    const { status, body } = await kubernetes.podRequest(target, { method, path, timeoutMs });
    return status === 200 ? ((JSON.parse(body) as T | null) ?? undefined) : undefined;
  } catch {
    // Whether the pod is gone, its container ended or the network is cut is for the caller to find out from the pod's status.
    return undefined;
  }
}

/** The liveness pod as it is now; undefined where it is gone. */
export function readLivenessPod(kubernetes: KubernetesPort, pod: LivenessRef): Promise<Pod | undefined> {
  return kubernetes.read<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace: pod.namespace, name: pod.pod });
}
