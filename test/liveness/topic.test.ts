import { expect, test, vi } from 'vitest';
import { plainStream, type Settings } from '../../src/liveness/environment.ts';
import { makeTopic } from '../../src/liveness/topic.ts';

const asked = vi.hoisted(() => [] as object[]);

vi.mock('../../src/kafka/connect-kafka.ts', () => ({
  connectKafka: () => ({
    createTopic: async (topic: object) => {
      asked.push(topic);
      return 'created';
    },
    close: async () => {},
  }),
}));

test('the topic keeps every record, whatever its brokers delete or compact elsewhere', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  const settings: Settings = {
    ...{ role: 'topic', bootstrap: ['broker:9092'], topic: 'stream', runId: 'run-1', rate: 100 },
    ...{ replicationFactor: 3, minInsyncReplicas: 2, consumerTimeoutMs: 4_000, probeStepMs: 3 },
    ...{ stream: { ...plainStream, partitions: 6 }, terminationLog: '/dev/null' },
  };
  expect(await makeTopic(settings)).toBe(0);
  vi.mocked(console.log).mockRestore();
  expect(asked).toEqual([
    {
      ...{ name: 'stream', partitions: 6, replicationFactor: 3 },
      config: {
        'min.insync.replicas': '2',
        'cleanup.policy': 'delete',
        'retention.ms': '-1',
        'retention.bytes': '-1',
      },
    },
  ]);
});
