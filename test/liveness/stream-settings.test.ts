import { expect, test } from 'vitest';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { plainStream, readSettings } from '../../src/liveness/environment.ts';
import { livenessPod } from '../../src/liveness/pod.ts';

const bootstrap = ['a:9092', 'b:9092'];
const run = { temporalNamespace: 'default', workflowId: 'w', runId: '0123456789abcdef' };

/** Environment of the producer's container. */
function environmentOf(liveness: object): Record<string, string> {
  const input = experimentSchema.parse({ cluster: { namespace: 'kafka' }, liveness });
  const experiment = resolveExperiment(input, { image: 'leaderfall:1' });
  const pod = livenessPod({ experiment, run, bootstrap, expires: 1_000, now: 0, brokerLabels: {} });
  const { containers } = pod.spec as {
    containers: { name: string; env: { name: string; value: string }[] }[];
  };
  const env = containers.find(({ name }) => name === 'kafka-producer')?.env ?? [];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

test('the options of the stream arrive in the pod', () => {
  const stream = {
    recordBytes: 1_000,
    partitions: 6,
    keys: 12,
    acks: 'all' as const,
    idempotent: true,
    compression: 'gzip' as const,
    lingerMs: 3,
  };
  const settings = readSettings(environmentOf({ ...stream, ratePerSecond: 20_000 }));
  expect(settings.stream).toEqual(stream);
  expect(settings.rate).toBe(20_000);
});

test.each([0, 1] as const)('acks=%i arrives as a number', (acks) => {
  const { stream } = readSettings(environmentOf({ acks, minInsyncReplicas: 1 }));
  expect(stream).toEqual({ ...plainStream, acks });
});

test('a container that is told nothing streams by the defaults', () => {
  const { LIVENESS_STREAM: _, ...others } = environmentOf({});
  expect(readSettings(others).stream).toEqual(plainStream);
});

test('a stream that makes no sense ends the container with the field', () => {
  expect(() => readSettings({ ...environmentOf({}), LIVENESS_STREAM: '{"partitions":0}' })).toThrow(
    /partitions/,
  );
});
