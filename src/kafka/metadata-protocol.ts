import type { ClusterMetadata, Topics } from './port.ts';
import { reader, writer } from './wire.ts';

const metadataApiKey = 3;

/**
 * Metadata v7 is the first with leader epochs (Kafka ≥ 2.1); kafkajs stops at v6. v4 is the oldest that can be told not to create
 * topics (Kafka ≥ 0.11), for brokers that close the connection on v7.
 */
export type MetadataVersion = 7 | 4;

/** Answers are only read to here. */
type Answer = Omit<ClusterMetadata, 'at'>;

/** A Metadata request with its length prefix; never creates topics. */
export function encodeMetadataRequest(
  version: MetadataVersion,
  correlationId: number,
  clientId: string,
  topics: Topics,
): Buffer {
  const body = writer();
  body.int16(metadataApiKey);
  body.int16(version);
  body.int32(correlationId);
  body.string(clientId);
  // A null array asks for all topics.
  body.int32(topics === 'all' ? -1 : topics.length);
  for (const topic of topics === 'all' ? [] : topics) body.string(topic);
  body.int8(0);
  return body.framed();
}

/** A Metadata response without its length prefix. A topic's partitions are in their order, which brokers need not keep. Offline replicas stay among the replicas. */
export function decodeMetadataResponse(
  version: MetadataVersion,
  bytes: Buffer,
): { correlationId: number; answer: Answer } {
  const read = reader(bytes);
  const correlationId = read.int32();
  read.int32(); // throttle time
  const brokers = read.array(() => {
    const broker = { id: read.int32(), host: read.string(), port: read.int32() };
    read.nullableString(); // rack
    return broker;
  });
  const clusterId = read.nullableString();
  const controller = read.int32();
  const partitions = read.array(() => {
    read.int16(); // error of the topic
    const topic = read.string();
    read.int8(); // internal
    const listed = read.array(() => {
      read.int16(); // error of the partition
      const partition = read.int32();
      const leader = read.int32();
      const leaderEpoch = version >= 7 ? read.int32() : -1;
      const replicas = read.array(read.int32);
      const isr = read.array(read.int32);
      if (version >= 5) read.array(read.int32); // offline replicas
      return { topic, partition, leader, leaderEpoch, replicas, isr };
    });
    return listed.sort((a, b) => a.partition - b.partition);
  });
  return { correlationId, answer: { brokers, clusterId, controller, partitions: partitions.flat() } };
}
