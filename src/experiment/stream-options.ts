import { z } from 'zod';

/** A stamped record is never larger than this, so that every record can be padded to the size asked for. Bytes. */
const smallestRecord = 128;

/** Kafka's default for the largest batch (message.max.bytes, 1,048,588) less room for headers. Bytes. */
export const largestBatch = 1_000_000;

/** How records are made and sent. Each stream is one producer. */
export const streamOptions = {
  ratePerSecond: z
    .number()
    .min(1)
    .max(1_000_000)
    .default(100)
    .describe(
      'Records a second, over all partitions. A run begins to kill only at nine tenths of it; what cannot be sent in time later shows as latency.',
    ),
  recordBytes: z
    .int()
    .min(smallestRecord)
    .max(largestBatch)
    .default(smallestRecord)
    .describe('Size of a record’s value.'),
  partitions: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe(
      'Partitions of the stream’s topic, each with a connection of its own; targets are asked of partition 0.',
    ),
  keys: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe('Different keys of records, each in one partition; 0: records have no key.'),
  acks: z
    .union([z.literal(0), z.literal(1), z.literal('all')], { error: 'must be 0, 1 or all' })
    .default('all')
    .describe('Who has a record before it counts as acknowledged: nobody, the leader, all in-sync replicas.'),
  idempotent: z
    .boolean()
    .default(false)
    .describe('The client repeats a failed send once, and the brokers throw out what came twice.'),
  compression: z
    .enum(['none', 'gzip'], { error: 'must be none or gzip; kafkajs has no other built in' })
    .default('none')
    .describe('Of batches; none and gzip are what kafkajs has built in.'),
  lingerMs: z
    .int()
    .min(0)
    .max(1_000)
    .default(10)
    .describe('Records that become due within this time go together.'),
} as const;

/** The stream as `liveness` of an experiment describes it, with what has to fit it. */
export interface StreamOptions {
  ratePerSecond: number;
  recordBytes: number;
  partitions: number;
  keys: number;
  acks: 0 | 1 | 'all';
  idempotent: boolean;
  compression: 'none' | 'gzip';
  replicationFactor: number;
  minInsyncReplicas?: number | undefined;
  consumerTimeoutMs: number;
}

/** `100 records/s of 128 bytes, acks=all, 1 partition`, and what else is not the default. */
export function streamText(liveness: StreamOptions): string {
  const { ratePerSecond, recordBytes, acks, partitions, keys, idempotent, compression } = liveness;
  return [
    `${ratePerSecond} records/s of ${recordBytes} bytes`,
    `acks=${acks}`,
    `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`,
    ...(idempotent ? ['idempotent'] : []),
    ...(compression === 'none' ? [] : [compression]),
    ...(keys === 0 ? [] : [`${keys} keys`]),
  ].join(', ');
}

/** What fields of `liveness` do not go together, as `field: what`. */
export function streamIssues(options: StreamOptions): string[] {
  const { ratePerSecond, partitions, keys, acks, idempotent } = options;
  const { replicationFactor, minInsyncReplicas, consumerTimeoutMs } = options;
  const issues: string[] = [];
  if (minInsyncReplicas !== undefined && minInsyncReplicas > replicationFactor) {
    issues.push(
      `liveness.minInsyncReplicas: ${minInsyncReplicas} is more than liveness.replicationFactor, ${replicationFactor}`,
    );
  }
  if (idempotent && acks !== 'all') {
    issues.push(`liveness.idempotent: needs liveness.acks "all", which is ${acks}`);
  }
  if (minInsyncReplicas !== undefined && minInsyncReplicas > 1 && acks !== 'all') {
    issues.push(
      `liveness.minInsyncReplicas: ${minInsyncReplicas} binds only sends with liveness.acks "all", which is ${acks}`,
    );
  }
  if (keys > 0 && keys < partitions) {
    issues.push(
      `liveness.keys: ${keys} ${keys === 1 ? 'key leaves' : 'keys leave'} some of liveness.partitions, ${partitions}, without records`,
    );
  }
  const paceMs = (partitions * 1_000) / ratePerSecond;
  if (paceMs > consumerTimeoutMs) {
    issues.push(
      `liveness.ratePerSecond: ${ratePerSecond} gives each of liveness.partitions, ${partitions}, a record every ${Math.round(paceMs)} ms, which is more than liveness.consumerTimeoutMs, ${consumerTimeoutMs}`,
    );
  }
  return issues;
}
