import { expect, test } from 'vitest';
import { makeAnnotate } from '../../src/activities/annotate.ts';
import { makeCleanUp } from '../../src/activities/clean-up.ts';
import { problem } from '../../src/experiment/errors.ts';
import { topicName } from '../../src/experiment/identity.ts';
import { takeClaim } from '../../src/kubernetes/lease.ts';
import { attempt, fakeKafka, refusal, run, type Scene, scene } from './step-support.ts';

const topic = topicName(run, 0);
const [pod, statefulSet, lease] = [
  'Pod kafka/kafka-liveness',
  'StatefulSet kafka/kafka-kafka',
  'Lease kafka/leaderfall-kafka-kafka',
];

/** Everything that a run on an existing Kafka makes stands. */
async function afterRun(): Promise<Scene> {
  const at = await scene(fakeKafka());
  at.kafka.topics.add(topic);
  await claim(at, run.runId);
  await attempt(makeAnnotate(at.deps), at.context);
  at.kubernetes.writes.length = 0;
  return at;
}

async function claim(at: Scene, runId: string): Promise<void> {
  await takeClaim({
    kubernetes: at.kubernetes,
    run: { ...run, runId },
    namespace: 'kafka',
    statefulSet: 'kafka-kafka',
    durationSeconds: 600,
    expires: 0,
    isClosed: async () => false,
  });
}

function cleanUp(at: Scene) {
  return attempt(makeCleanUp(at.deps), { ...at.context, liveness: at.liveness });
}

/** The API server refuses to change the StatefulSet. */
function refusePatch(at: Scene, error: Error): void {
  at.kubernetes.mergePatch = async () => {
    throw error;
  };
}

test('undoes in the reverse order of making, the claim last', async () => {
  const at = await afterRun();
  expect(await cleanUp(at)).toEqual({
    leftovers: [],
    done: [
      'pod kafka-liveness removed',
      `topic ${topic} removed`,
      'annotation litmuschaos.io/chaos back to "true"',
      'claim released',
    ],
  });
  expect(at.kubernetes.writes).toEqual([`delete ${pod}`, `patch ${statefulSet}`, `delete ${lease}`]);
  expect(at.kafka.topics.size).toBe(0);
});

test('what the fault made goes first', async () => {
  const at = await afterRun();
  at.context.resolved.experiment.fault.kind = 'crash';
  const key = 'Pod leaderfall-crash/leaderfall-crash-0000beef-1-c0ffee';
  at.kubernetes.objects.set(key, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'leaderfall-crash-0000beef-1-c0ffee',
      namespace: 'leaderfall-crash',
      labels: { 'leaderfall.io/run-id': run.runId },
    },
  });
  expect((await cleanUp(at)).done[0]).toBe('1 crash pods removed');
  expect(at.kubernetes.writes[0]).toBe(`delete ${key}`);
});

test('a second time there is nothing to do', async () => {
  const at = await afterRun();
  await cleanUp(at);
  at.kubernetes.writes.length = 0;
  expect(await cleanUp(at)).toEqual({ leftovers: [], done: [] });
  expect(at.kubernetes.writes).toEqual([]);
});

test('an undo that is refused is left over, named with its reason, and keeps no other from being done', async () => {
  const at = await afterRun();
  refusePatch(at, problem('KUBERNETES_REFUSED', 'patch: forbidden'));
  const { leftovers, done } = await cleanUp(at);
  expect(leftovers).toEqual([
    { kind: 'StatefulSet annotation', name: 'kafka-kafka', namespace: 'kafka', reason: 'patch: forbidden' },
  ]);
  expect(done).toEqual(['pod kafka-liveness removed', `topic ${topic} removed`, 'claim released']);
});

test('brokers that refuse to delete a topic are asked to empty it, and it is left over', async () => {
  const at = await afterRun();
  at.kafka.deletion = 'refused';
  const { leftovers, done } = await cleanUp(at);
  expect(leftovers).toMatchObject([{ kind: 'Topic', name: topic }]);
  expect(at.kafka.calls).toContain(`purgeTopic ${topic}`);
  expect(done).toContain('claim released');
});

test('an API server that is away means trying the whole step again, with the claim held', async () => {
  const at = await afterRun();
  refusePatch(at, problem('KUBERNETES_UNREACHABLE', 'no answer', { retryable: true }));
  expect(await refusal(cleanUp(at))).toMatchObject({
    code: 'KUBERNETES_UNREACHABLE',
    step: 'clean-up',
    retried: true,
  });
  expect(at.kubernetes.objects.has(lease)).toBe(true);
});

test('a StatefulSet that changed in between is read again instead of being left annotated', async () => {
  const at = await afterRun();
  const { mergePatch } = at.kubernetes;
  refusePatch(at, problem('KUBERNETES_REFUSED', 'patch: conflict', { retryable: true }));
  expect(await refusal(cleanUp(at))).toMatchObject({ retried: true });
  at.kubernetes.mergePatch = mergePatch;
  expect(await cleanUp(at)).toEqual({
    leftovers: [],
    done: ['annotation litmuschaos.io/chaos back to "true"', 'claim released'],
  });
});

test('removes the consumer groups of the run, one that still has a member as soon as it has gone', async () => {
  const at = await afterRun();
  const [own, second, foreign] = [`${topic}-0`, `${topic}-1`, `${topicName({ runId: 'another' }, 0)}-0`];
  for (const [group, members] of [[own, 0] as const, [second, 1] as const, [foreign, 0] as const])
    at.kafka.consumerGroups.set(group, members);
  const { deleteGroup } = at.kafka;
  at.kafka.deleteGroup = async (name) => {
    const answer = await deleteGroup(name);
    at.kafka.consumerGroups.set(second, 0);
    return answer;
  };
  expect((await cleanUp(at)).done).toEqual(
    expect.arrayContaining([`group ${own} removed`, `group ${second} removed`]),
  );
  expect(at.kafka.calls).not.toContain(`deleteGroup ${foreign}`);
});

test('what belongs to another run is not touched', async () => {
  const at = await scene(fakeKafka());
  const found = at.kubernetes.objects.get(pod);
  at.kubernetes.objects.set(pod, {
    ...found,
    metadata: { ...found?.metadata, labels: { 'leaderfall.io/run-id': 'another' } },
  });
  await claim(at, 'another');
  at.kubernetes.writes.length = 0;
  expect(await cleanUp(at)).toEqual({ leftovers: [], done: [] });
  expect(at.kubernetes.writes).toEqual([]);
});

test('a run that failed before it had a Kafka gives back its claim without asking for one', async () => {
  const at = await scene(fakeKafka());
  await claim(at, run.runId);
  const { resolved } = at.context;
  const { done, leftovers } = await attempt(makeCleanUp(at.deps), { resolved });
  expect({ done, leftovers }).toEqual({
    done: ['pod kafka-liveness removed', 'claim released'],
    leftovers: [],
  });
  expect(at.kafka.calls).toEqual([]);
});
