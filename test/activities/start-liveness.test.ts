import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeStartLiveness } from '../../src/activities/start-liveness.ts';
import { problem } from '../../src/experiment/errors.ts';
import { topicName } from '../../src/experiment/identity.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import { takeClaim } from '../../src/kubernetes/lease.ts';
import type { Pod } from '../../src/kubernetes/workloads.ts';
import { attempt, fakeKafka, refusal, run, type Scene, scene } from './step-support.ts';

vi.mock(import('../../src/kubernetes/wait.ts'), async (original) => ({
  ...(await original()),
  pause: async (ms: number, signal: AbortSignal) => {
    signal.throwIfAborted();
    vi.setSystemTime(Date.now() + ms);
  },
}));

const start = Date.parse('2026-01-01T00:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
});

afterEach(() => {
  vi.useRealTimers();
});

const key = 'Pod kafka/kafka-liveness';
type Status = NonNullable<Pod['status']>;

/** A Kafka without liveness pod; whatever pod comes has the status that the kubelet gives it after so many ms. */
async function withKubelet(kubelet: (ms: number) => Status, input: ExperimentInput = {}): Promise<Scene> {
  const at = await scene(fakeKafka(), input);
  at.kubernetes.objects.delete(key);
  const { read } = at.kubernetes;
  at.kubernetes.read = async (ref) => {
    const found = await read(ref);
    return found && ref.name === 'kafka-liveness'
      ? ({ ...found, status: kubelet(Date.now() - start) } as never)
      : (found as never);
  };
  stream(at, () => ({}));
  return at;
}

interface Flow {
  acks?: number;
  reads?: number;
  isr?: number[];
  leader?: number;
}

/** What the pod's containers report after so many ms. */
function stream(at: Scene, flow: (ms: number) => Flow | 'silent'): void {
  at.kubernetes.podRequest = async ({ port }) => {
    const now = flow(Date.now() - start);
    if (now === 'silent') throw problem('KUBERNETES_UNREACHABLE', 'no answer', { retryable: true });
    const { acks = 100, reads = 100, isr = [1, 2, 3], leader = 1 } = now;
    const reports: Record<number, object> = {
      8081: { ackRate: acks, lastError: 'NotEnoughReplicas' },
      8082: { receiveRate: reads },
      8083: { current: { leader, isr, replicas: [1, 2, 3] } },
    };
    return { status: 200, body: JSON.stringify(reports[port]) };
  };
}

function startLiveness(at: Scene) {
  return attempt(makeStartLiveness(at.deps), at.context);
}

const running: Status = { phase: 'Running' };
const starting: Status = {
  phase: 'Pending',
  initContainerStatuses: [
    { name: 'kafka-topic', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } },
  ],
};

function pulling(reason: string): Status {
  const waiting = { reason, message: 'registry says: manifest unknown' };
  return {
    phase: 'Pending',
    initContainerStatuses: [{ name: 'kafka-topic', restartCount: 0, state: { waiting } }],
  };
}

const unschedulable: Status = {
  phase: 'Pending',
  conditions: [
    { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
  ],
};

test('makes the pod and ends with the first kill’s moment once the stream flows', async () => {
  const at = await withKubelet((ms) => (ms < 3_000 ? starting : running));
  const started = await startLiveness(at);
  expect(at.kubernetes.writes).toEqual([`create ${key}`]);
  expect(started).toMatchObject({
    namespace: 'kafka',
    pod: 'kafka-liveness',
    podUid: at.kubernetes.objects.get(key)?.metadata?.uid,
    topic: topicName(run, 0),
    replicationFactor: 3,
    minInsyncReplicas: 2,
    steadyAt: Date.now() + 1_000,
  });
});

test.each<[string, Flow | 'silent']>([
  ['too few acks', { acks: 89 }],
  ['too few reads', { reads: 89 }],
  ['a replica out of sync', { isr: [1, 2] }],
  ['no leader', { leader: -1 }],
  ['no report', 'silent'],
])('%s is not steady, and one good look among bad ones does not make it so', async (_, bad) => {
  const at = await withKubelet(() => running);
  let looks = 0;
  stream(at, (ms) => {
    if (ms > 20_000) return {};
    looks++;
    return looks % 6 < 3 ? {} : bad;
  });
  await startLiveness(at);
  expect(Date.now() - start).toBeGreaterThan(20_000);
});

test('a stream that never flows ends with what each container last said', async () => {
  const at = await withKubelet(() => running, { liveness: { readySeconds: 60 } });
  stream(at, () => ({ acks: 0, isr: [1] }));
  expect(await refusal(startLiveness(at))).toMatchObject({
    code: 'STREAM_NOT_STEADY',
    step: 'liveness',
    evidence: [expect.stringContaining('NotEnoughReplicas'), expect.anything(), 'in sync: 1 of 1, 2, 3'],
    retried: false,
  });
});

test.each<[string, (ms: number) => Status, string]>([
  [
    'an image that cannot be pulled',
    (ms) => (ms < 3_000 ? starting : pulling(ms % 2_000 < 1_000 ? 'ErrImagePull' : 'ImagePullBackOff')),
    'ImagePull',
  ],
  ['a pod that fits no node', () => unschedulable, 'Unschedulable: 0/3 nodes are available'],
])('%s is an Error that names it within 30 s', async (_, kubelet, reason) => {
  const at = await withKubelet(kubelet);
  const found = await refusal(startLiveness(at));
  expect(found).toMatchObject({ code: 'POD_WAITING', step: 'liveness', retried: false });
  expect(found.message).toContain(reason);
  expect(Date.now() - start).toBeLessThanOrEqual(30_000);
});

test('a pull that succeeds after all is waited for, and so is a long one', async () => {
  const kubelet = (ms: number) => {
    if (ms < 20_000) return pulling('ErrImagePull');
    return ms < 60_000 ? starting : running;
  };
  const at = await withKubelet(kubelet);
  expect(await startLiveness(at)).toMatchObject({ pod: 'kafka-liveness' });
});

test.each([
  'pods "kafka-liveness" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=6, limited: pods=6',
  'pods "kafka-liveness" is forbidden: violates PodSecurity "restricted:latest"',
])('%s: an Error with these words, at once', async (words) => {
  const at = await withKubelet(() => running);
  at.kubernetes.create = async () => {
    throw problem('KUBERNETES_REFUSED', `create Pod kafka/kafka-liveness: ${words}`, {
      evidence: ['HTTP 403', 'Forbidden'],
    });
  };
  expect(await refusal(startLiveness(at))).toMatchObject({
    code: 'LIVENESS_REFUSED',
    message: expect.stringContaining(words),
    evidence: ['HTTP 403', 'Forbidden'],
    retried: false,
  });
  expect(Date.now()).toBe(start);
});

test('an API server that is away is asked again', async () => {
  const at = await withKubelet(() => running);
  at.kubernetes.create = async () => {
    throw problem('KUBERNETES_UNREACHABLE', 'no answer', { retryable: true });
  };
  expect(await refusal(startLiveness(at))).toMatchObject({ code: 'KUBERNETES_UNREACHABLE', retried: true });
});

test('a node that refuses the pod is named with its reason, at once', async () => {
  const at = await withKubelet(() => ({ phase: 'Failed', reason: 'OutOfcpu', message: 'not enough cpu' }));
  expect(await refusal(startLiveness(at))).toMatchObject({
    code: 'LIVENESS_FAILED',
    message: expect.stringContaining('OutOfcpu'),
    evidence: ['not enough cpu'],
    retried: false,
  });
  expect(Date.now()).toBe(start);
});

const ended = (name: string, exitCode: number) => ({
  name,
  restartCount: 0,
  state: { terminated: { exitCode, reason: 'Error', message: 'its last words' } },
});

test.each<[string, Status]>([
  ['kafka-topic', { phase: 'Failed', initContainerStatuses: [ended('kafka-topic', 1)] }],
  [
    'kafka-producer',
    {
      phase: 'Running',
      initContainerStatuses: [ended('kafka-topic', 0)],
      containerStatuses: [ended('kafka-producer', 1)],
    },
  ],
])('%s that ended before the chaos is an Error with its last words', async (name, status) => {
  const at = await withKubelet(() => status);
  stream(at, () => 'silent');
  expect(await refusal(startLiveness(at))).toMatchObject({
    code: 'LIVENESS_FAILED',
    message: `container ${name} ended with exit code 1 before the chaos`,
    evidence: ['Error', 'its last words'],
    retried: false,
  });
});

test('a pod that somebody deletes while it starts is made again by the next attempt', async () => {
  const at = await withKubelet(() => starting);
  const { create } = at.kubernetes;
  at.kubernetes.create = async (object) => {
    const made = await create(object);
    at.kubernetes.objects.delete(key);
    return made;
  };
  expect(await refusal(startLiveness(at))).toMatchObject({ code: 'LIVENESS_FAILED', retried: true });
});

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

test('goes with the claim of its run', async () => {
  const at = await withKubelet(() => running);
  const lease = { namespace: 'kafka', statefulSet: 'kafka-kafka', durationSeconds: 600, expires: 0 };
  await takeClaim({ ...lease, kubernetes: at.kubernetes, run, isClosed: async () => false });
  await startLiveness(at);
  const { uid } = at.kubernetes.objects.get('Lease kafka/leaderfall-kafka-kafka')?.metadata ?? {};
  expect(at.kubernetes.objects.get(key)?.metadata?.ownerReferences).toEqual([
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'leaderfall-kafka-kafka', uid },
  ]);
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
