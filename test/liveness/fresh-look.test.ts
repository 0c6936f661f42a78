import { beforeEach, expect, test, vi } from 'vitest';
import { plainStream, type Settings } from '../../src/liveness/environment.ts';
import { lookAfresh } from '../../src/liveness/fresh-look.ts';

/** Ends of the log by partition, and the partitions that take a record. */
const cluster = vi.hoisted(() => ({ ends: new Map<number, bigint>(), taking: [0, 1] }));

vi.mock('../../src/kafka/connect-kafka.ts', () => ({
  connectKafka: () => ({
    metadata: async () => ({
      partitions: [0, 1].map((partition) => ({ partition, leader: partition + 7, isr: [partition + 7] })),
    }),
    endOffsets: async () => cluster.ends,
    close: async () => {},
  }),
}));
vi.mock('../../src/kafka/record-sender.ts', () => ({
  connectSender: async ({ partition }: { partition: number }) => ({
    send: async () => {
      if (!cluster.taking.includes(partition)) throw new Error('no leader takes it');
    },
    close: async () => {},
  }),
}));

const settings: Settings = {
  role: 'consumer',
  bootstrap: ['broker:9092'],
  topic: 'stream',
  runId: 'run-1',
  rate: 100,
  stream: { ...plainStream, partitions: 2 },
  replicationFactor: 3,
  minInsyncReplicas: 2,
  consumerTimeoutMs: 4_000,
  probeStepMs: 3,
  terminationLog: '/dev/null',
};

beforeEach(() => {
  cluster.ends = new Map([
    [0, 900n],
    [1, 20n],
  ]);
  cluster.taking = [0, 1];
});

test('a partition that nobody serves is out, however well the others do', async () => {
  cluster.taking = [0];
  const found = await lookAfresh(settings, { partition: 1, next: 20 });
  expect(found.confirmed).toBe('outage');
  expect(found.evidence).toContain('leader 8, in sync: 8');
  expect(found.evidence).toContain('the log of partition 1 ends at 20, read up to 20');
});

test('a log that has moved past what was read, or that takes a record, means that the client is stuck', async () => {
  expect((await lookAfresh(settings, { partition: 1, next: 20 })).confirmed).toBe('stuck-client');
  cluster.taking = [];
  expect((await lookAfresh(settings, { partition: 1, next: 19 })).confirmed).toBe('stuck-client');
});
