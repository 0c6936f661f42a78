import { expect } from 'vitest';
import type { RunIdentity } from '../../src/experiment/identity.ts';
import { streamsLeft } from './kafka.ts';
import { cluster, leftIn } from './testbed.ts';

/** What runs made, but for the Kafka that the tests share. */
const label = 'app.kubernetes.io/managed-by=leaderfall,leaderfall.io/run-id!=e2e00000-support';

/** Nothing of a run on the shared Kafka is left: objects, annotations, topic, consumer groups. */
export async function expectNothingLeft(run: RunIdentity): Promise<void> {
  expect(await leftIn('kafka', { label })).toEqual([]);
  const statefulSet = await cluster.read({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    namespace: 'kafka',
    name: 'kafka-kafka',
  });
  const names = Object.keys(statefulSet?.metadata?.annotations ?? {});
  expect(
    names.filter((name) => name.startsWith('litmuschaos.io') || name.startsWith('leaderfall.io/former')),
  ).toEqual([]);
  expect(await streamsLeft(run)).toEqual([]);
}
