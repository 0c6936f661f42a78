import { expect, test, vi } from 'vitest';
import { problem } from '../../src/experiment/errors.ts';
import { topicName } from '../../src/experiment/identity.ts';
import {
  type Flow,
  holdClock,
  key,
  running,
  type Status,
  start,
  startLiveness,
  stream,
  withKubelet,
} from './start-liveness-support.ts';
import { refusal, run, type Scene } from './step-support.ts';

vi.mock(import('../../src/kubernetes/wait.ts'), async (original) => ({
  ...(await original()),
  pause: async (ms: number, signal: AbortSignal) => {
    signal.throwIfAborted();
    vi.setSystemTime(Date.now() + ms);
  },
}));

holdClock();

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

test('tells producer and consumer once the stream flows: what was until then does not count', async () => {
  const at = await withKubelet(() => running);
  const { podRequest } = at.kubernetes;
  const asked: string[] = [];
  at.kubernetes.podRequest = async (pod, request) => {
    asked.push(`${request.method} ${pod.port}${request.path.split('?')[0]}`);
    return await podRequest(pod, request);
  };
  await startLiveness(at);
  expect(asked.slice(-2).sort()).toEqual(['POST 8081/steady', 'POST 8082/steady']);
  expect(asked.filter((request) => request.includes('steady'))).toHaveLength(2);
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
    next: expect.stringContaining('lower liveness.ratePerSecond: 100 may be more'),
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

/** What the cluster tells of the pod besides its status. */
function tell(at: Scene, event: { type: string; reason: string; message: string }): void {
  const { create } = at.kubernetes;
  at.kubernetes.create = async (object) => {
    const made = await create(object);
    if (object.kind !== 'Pod') return made;
    const { uid } = at.kubernetes.objects.get(key)?.metadata ?? {};
    const metadata = { name: event.reason, namespace: 'kafka' };
    await create({ apiVersion: 'v1', kind: 'Event', metadata, involvedObject: { uid }, ...event });
    return made;
  };
}

test('a volume that cannot be mounted is told by an Event alone, and is an Error that names it within 30 s', async () => {
  const at = await withKubelet(() => starting);
  tell(at, { type: 'Warning', reason: 'FailedMount', message: 'secret "leaderfall-kafka" not found' });
  const found = await refusal(startLiveness(at));
  expect(found).toMatchObject({
    code: 'POD_WAITING',
    message: expect.stringContaining('kafka-liveness: FailedMount: secret "leaderfall-kafka" not found'),
  });
  expect(Date.now() - start).toBeLessThanOrEqual(30_000);
});

test('a pull that hangs is waited for to the end, and named', async () => {
  const at = await withKubelet(() => starting, { liveness: { readySeconds: 60 } });
  tell(at, { type: 'Normal', reason: 'Pulling', message: 'Pulling image "i"' });
  const found = await refusal(startLiveness(at));
  expect(found.message).toContain('Pulling image "i"');
  expect(Date.now() - start).toBeGreaterThan(60_000);
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

test('a fault that prepares itself does so on every node that has a broker, while the pod starts', async () => {
  const at = await withKubelet(() => running, { fault: { kind: 'crash', privileged: true } });
  const { read } = at.kubernetes;
  at.kubernetes.read = async (ref) => {
    const found = await read(ref);
    return found && ref.namespace === 'leaderfall-crash'
      ? ({ ...found, status: { phase: 'Succeeded' } } as never)
      : (found as never);
  };
  await startLiveness(at);
  const pods = at.kubernetes.writes.filter((write) => write.includes('leaderfall-crash'));
  expect(pods.filter((write) => write.startsWith('create'))).toHaveLength(3);
  expect([...at.kubernetes.objects.keys()].filter((each) => each.includes('leaderfall-crash'))).toEqual([]);
});

test('a node that cannot pull that image in time keeps no stream from being steady', async () => {
  const at = await withKubelet(() => running, { fault: { kind: 'crash', privileged: true } });
  const { read } = at.kubernetes;
  at.kubernetes.read = async (ref) => {
    const found = await read(ref);
    if (ref.namespace !== 'leaderfall-crash') return found as never;
    vi.setSystemTime(Date.now() + 20_000);
    return found && ({ ...found, status: { phase: 'Pending' } } as never);
  };
  expect(await startLiveness(at)).toMatchObject({ pod: 'kafka-liveness' });
});
