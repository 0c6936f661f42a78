import { expect, test, vi } from 'vitest';
import { topicName } from '../../src/experiment/identity.ts';
import type { Pod } from '../../src/kubernetes/workloads.ts';
import { temporalServer } from '../support/temporal-server.ts';
import {
  holdClock,
  key,
  running,
  type Status,
  start,
  startLiveness,
  withKubelet,
} from './start-liveness-support.ts';
import { claim, refusal, run, type Scene } from './step-support.ts';

vi.mock(import('../../src/kubernetes/wait.ts'), async (original) => ({
  ...(await original()),
  pause: async (ms: number, signal: AbortSignal) => {
    signal.throwIfAborted();
    vi.setSystemTime(Date.now() + ms);
  },
}));

holdClock();

const lease = 'Lease kafka/leaderfall-kafka-kafka';

/** A pod of that name is there already. */
async function occupied(runId: string | undefined, status: Status = running): Promise<Scene> {
  const at = await withKubelet(() => running);
  await at.kubernetes.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'kafka-liveness',
      namespace: 'kafka',
      ...(runId
        ? {
            labels: { 'leaderfall.io/run-id': runId },
            annotations: { 'leaderfall.io/owner': `default/w/${runId}` },
          }
        : {}),
    },
  });
  at.kubernetes.writes.length = 0;
  const { read } = at.kubernetes;
  const old = at.kubernetes.objects.get(key)?.metadata?.uid;
  at.kubernetes.read = async (ref) => {
    const found = await read(ref);
    return (found?.metadata?.uid === old ? { ...found, status } : found) as never;
  };
  return at;
}

test('a second attempt takes the pod that the first one made', async () => {
  const at = await occupied(run.runId);
  await startLiveness(at);
  expect(at.kubernetes.writes).toEqual([]);
});

test('its own pod that has ended is replaced', async () => {
  const at = await occupied(run.runId, { phase: 'Failed' });
  await startLiveness(at);
  expect(at.kubernetes.writes).toEqual([`delete ${key}`, `create ${key}`]);
});

test('the pod of a run that is over is replaced', async () => {
  const at = await occupied('another');
  at.deps.runState = async (owner) => (owner === 'default/w/another' ? 'over' : 'running');
  const started = await startLiveness(at);
  expect(at.kubernetes.writes).toEqual([`delete ${key}`, `create ${key}`]);
  expect(at.kubernetes.objects.get(key)?.metadata).toMatchObject({
    uid: started.podUid,
    labels: { 'leaderfall.io/run-id': run.runId },
  });
});

test('the pod of a run that is over but does not go, as on a lost node, is named in the end', async () => {
  const at = await occupied('another');
  at.deps.runState = async () => 'over';
  at.kubernetes.remove = async () => ({ outcome: 'deleted' });
  expect(await refusal(startLiveness(at))).toMatchObject({
    code: 'LIVENESS_REFUSED',
    message: 'pod kafka/kafka-liveness of default/w/another does not go',
    retried: false,
  });
});

test('the pod of a run whose Temporal cannot be asked is left until it has expired', async () => {
  const at = await occupied('another');
  at.deps.runState = () => Promise.reject(new Error('no answer'));
  expect(await refusal(startLiveness(at))).toMatchObject({ code: 'LIVENESS_REFUSED', retried: true });
  expect(at.kubernetes.writes).toEqual([]);
  const pod = at.kubernetes.objects.get(key);
  Object.assign(pod?.metadata?.annotations ?? {}, {
    'leaderfall.io/expires': new Date(start - 1).toISOString(),
  });
  await startLiveness(at);
  expect(at.kubernetes.writes).toEqual([`delete ${key}`, `create ${key}`]);
});

test('the pod of another Temporal’s run is left, though a namespace of that name is here and does not know it', async () => {
  const at = await occupied('another');
  Object.assign(at.deps, temporalServer('bob'));
  const { annotations = {} } = at.kubernetes.objects.get(key)?.metadata ?? {};
  annotations['leaderfall.io/temporal-namespace-id'] = 'ann';
  expect(await refusal(startLiveness(at))).toMatchObject({
    code: 'LIVENESS_REFUSED',
    message: expect.stringContaining('its Temporal namespace, of the id ann, is not here'),
  });
  expect(at.kubernetes.writes).toEqual([]);
  annotations['leaderfall.io/temporal-namespace-id'] = 'bob';
  await startLiveness(at);
  expect(at.kubernetes.writes).toEqual([`delete ${key}`, `create ${key}`]);
});

test('goes with the claim of its run', async () => {
  const at = await withKubelet(() => running);
  await startLiveness(at);
  const { uid } = at.kubernetes.objects.get(lease)?.metadata ?? {};
  expect(at.kubernetes.objects.get(key)?.metadata?.ownerReferences).toEqual([
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'leaderfall-kafka-kafka', uid },
  ]);
});

test('a worker that wakes after its run was cleaned up makes no pod', async () => {
  const at = await withKubelet(() => running);
  at.kubernetes.objects.delete(lease);
  const refused = { code: 'CLUSTER_CLAIMED', retried: false };
  expect(await refusal(startLiveness(at))).toMatchObject({
    ...refused,
    evidence: ['Lease kafka/leaderfall-kafka-kafka: not there'],
  });
  // The next run has its claim, and is about to make its own pod.
  const next = { ...run, runId: 'next' };
  await claim({ ...at, context: { ...at.context, resolved: { ...at.context.resolved, run: next } } });
  at.kubernetes.writes.length = 0;
  expect(await refusal(startLiveness(at))).toMatchObject({
    ...refused,
    evidence: ['Lease kafka/leaderfall-kafka-kafka: held by default/w/next'],
  });
  expect(at.kubernetes.writes).toEqual([]);
});

test('removes topics and groups of runs that ended or expired, and no others', async () => {
  const at = await withKubelet(() => running);
  const later = start + 3_600_000;
  const name = (runId: string, expires = later) => topicName({ runId }, expires);
  const gone = [name('over'), name('unknown', start - 60_000)];
  const stay = [name('live', start - 60_000), name('unknown'), 'orders', 'leaderfall-orders'];
  for (const topic of [...gone, ...stay]) {
    at.kafka.topics.add(topic);
    at.kafka.consumerGroups.set(`${topic}-0`, 0);
  }
  at.deps.ownerOfRun = async (runId) => (runId === 'unknown' ? undefined : `default/w/${runId}`);
  at.deps.runState = async (owner) => (owner === 'default/w/over' ? 'over' : 'running');
  await startLiveness(at);
  expect([...at.kafka.topics]).toEqual(stay);
  expect([...at.kafka.consumerGroups.keys()]).toEqual(stay.map((topic) => `${topic}-0`));
});

test('a Kafka that does not list its groups keeps no run from starting', async () => {
  const at = await withKubelet(() => running);
  at.kafka.groups = () => Promise.reject(new Error('not authorized'));
  await startLiveness(at);
});

test.each([
  ['of a live run is refused, and the run named', 'another', 'default/w/another'],
  ['that is not ours is refused', undefined, 'not Leaderfall’s'],
])('a pod of that name %s', async (_, runId, words) => {
  const at = await occupied(runId);
  expect(await refusal(startLiveness(at))).toMatchObject({
    code: 'LIVENESS_REFUSED',
    message: expect.stringContaining(words),
    retried: false,
  });
  expect(at.kubernetes.writes).toEqual([]);
});

test('the pod is told whose address is whose: brokers may advertise others, and have other ids than pods have ordinals', async () => {
  const at = await withKubelet(() => ({ phase: 'Running' }));
  const { metadata } = at.kafka;
  at.kafka.metadata = async (options) => {
    const look = await metadata(options);
    return {
      ...look,
      brokers: look.brokers.map((broker) => ({ ...broker, host: `10.0.0.${broker.id - 999}` })),
    };
  };
  for (const ordinal of [0, 1, 2]) {
    const pod = at.kubernetes.objects.get(`Pod kafka/kafka-kafka-${ordinal}`) as Pod;
    // The addresses are dealt out backwards.
    pod.status = { podIP: `10.0.0.${3 - ordinal}` };
  }
  await startLiveness(at);
  const made = at.kubernetes.objects.get(key)?.spec as {
    containers: { env: { name: string; value: string }[] }[];
  };
  const bootstrap = made.containers[0]?.env.find(({ name }) => name === 'LIVENESS_BOOTSTRAP')?.value;
  const host = (ordinal: number) => `kafka-kafka-${ordinal}.kafka-svc.kafka.svc.cluster.local:9092`;
  expect(bootstrap).toBe(`1002@${host(0)},1001@${host(1)},1000@${host(2)}`);
});
