import type { StreamGlance } from '../experiment/stream-glance.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import { consumerReport, producerReport } from './liveness-http.ts';

/** Asks both sides of the stream once; undefined where one does not answer. */
export async function streamGlance(
  kubernetes: KubernetesPort,
  pod: Parameters<typeof producerReport>[1],
): Promise<StreamGlance | undefined> {
  const [producer, consumer] = await Promise.all([
    producerReport(kubernetes, pod),
    consumerReport(kubernetes, pod),
  ]);
  if (!producer || !consumer) return undefined;
  const { acked, ackRate, longestAckGapMs } = producer;
  const { receiveRate, longestSilenceMs } = consumer;
  return { at: new Date().toISOString(), acked, ackRate, receiveRate, longestAckGapMs, longestSilenceMs };
}
