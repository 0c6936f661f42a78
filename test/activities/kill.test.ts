import { setTimeout } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { makeKill } from '../../src/activities/kill.ts';
import { problem } from '../../src/experiment/errors.ts';
import type { KillPlan } from '../../src/experiment/kill-record.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import { takeClaim } from '../../src/kubernetes/lease.ts';
import {
  attempt,
  fakeKafka,
  type Look,
  refusal,
  replacePod,
  run,
  type Scene,
  scene,
} from './step-support.ts';

afterEach(() => {
  vi.useRealTimers();
});

const victim = 'Pod kafka/kafka-kafka-2';

async function planned(looks: Look[] = [{}], input: ExperimentInput = {}) {
  const at = await scene(fakeKafka(...looks), input);
  await takeClaim({
    kubernetes: at.kubernetes,
    run,
    namespace: 'kafka',
    statefulSet: 'kafka-kafka',
    durationSeconds: 600,
    expires: 0,
    isClosed: async () => false,
  });
  at.kubernetes.writes.length = 0;
  const deadline = Date.now();
  const plan = {
    index: 0,
    deadline,
    notAfter: deadline + 60_000,
    broker: 1002,
    pod: 'kafka-kafka-2',
    namespace: 'kafka',
    podUid: at.kubernetes.objects.get(victim)?.metadata?.uid,
  } as KillPlan;
  return { at, plan };
}

/** What was done to brokers; the mark on the claim is not. */
function deletions(at: Scene): string[] {
  return at.kubernetes.writes.filter((write) => write.startsWith('delete'));
}

function request(at: Scene, plan: KillPlan) {
  return { ...at.context, liveness: at.liveness, plan };
}

function kill(at: Scene, plan: KillPlan, number = 1) {
  return attempt(makeKill(at.deps), request(at, plan), number);
}

test('deletes the pod of the plan with its own grace, not before the deadline', async () => {
  const { at, plan } = await planned();
  const { metadata } = at.kafka;
  // A look so slow that none but the first fits: there is time left after it.
  at.kafka.metadata = async (options) => {
    await setTimeout(40);
    return await metadata(options);
  };
  const soon = { ...plan, deadline: Date.now() + 300 };
  const act = await kill(at, soon);
  expect(act).toMatchObject({ outcome: 'deleted', gracePeriodSeconds: 30, repeated: false });
  // Timers may fire a millisecond early.
  expect(act.outcome === 'deleted' && act.requestedAt).toBeGreaterThan(soon.deadline - 5);
  expect(deletions(at)).toEqual([`delete ${victim}`]);
});

test('force-delete means no grace', async () => {
  const { at, plan } = await planned([{}], { fault: { kind: 'force-delete' } });
  expect(await kill(at, plan)).toMatchObject({ outcome: 'deleted', gracePeriodSeconds: 0 });
});

test.each([
  ['the leadership moved', { leader: 1000 }, 'leadership moved to 1000'],
  ['a replica fell out of sync', { isr: [1002, 1000] }, 'not in sync: broker 1001'],
  ['a broker is away', { brokers: [1000, 1002] }, 'down: broker 1001'],
])('%s since the plan was made: nothing is touched', async (_, look, reason) => {
  const { at, plan } = await planned([look]);
  expect(await kill(at, plan)).toMatchObject({ outcome: 'moved', reason });
  expect(deletions(at)).toEqual([]);
});

test('the newest look before the deadline decides, not the first', async () => {
  const { at, plan } = await planned([{}, { leader: 1000 }]);
  const act = await kill(at, { ...plan, deadline: Date.now() + 300 });
  expect(act).toMatchObject({ outcome: 'moved', reason: 'leadership moved to 1000' });
  expect(deletions(at)).toEqual([]);
});

test('after notAfter nothing is touched, and Kafka is not even asked', async () => {
  const { at, plan } = await planned();
  const act = await kill(at, { ...plan, notAfter: Date.now() - 1 });
  expect(act).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('after notAfter') });
  expect(deletions(at)).toEqual([]);
  expect(at.kafka.calls).toEqual([]);
});

test('the pod was replaced before the first attempt: moved, and its successor lives', async () => {
  const { at, plan } = await planned();
  await replacePod(at, 2);
  expect(await kill(at, plan)).toMatchObject({
    outcome: 'moved',
    reason: expect.stringContaining('pod kafka-kafka-2 was gone before the kill'),
  });
  expect(deletions(at)).toEqual([]);
});

/** An attempt that sends its request and hears no answer. */
async function sentAndLost(at: Scene, plan: KillPlan): Promise<void> {
  const { remove } = at.kubernetes;
  at.kubernetes.remove = async () => {
    throw problem('KUBERNETES_UNREACHABLE', 'no answer', { retryable: true });
  };
  await expect(kill(at, plan)).rejects.toThrow('no answer');
  at.kubernetes.remove = remove;
}

test.each([
  ['replaced', {}],
  ['terminating', { deletionTimestamp: 'soon', deletionGracePeriodSeconds: 30 }],
])(
  'an attempt after one whose delete was accepted counts as done: the pod is %s',
  async (state, metadata) => {
    const { at, plan } = await planned();
    await sentAndLost(at, plan);
    if (state === 'replaced') await replacePod(at, 2);
    else {
      const deletionTimestamp = new Date(plan.deadline + 30_000).toISOString();
      Object.assign(at.kubernetes.objects.get(victim)?.metadata ?? {}, metadata, { deletionTimestamp });
    }
    // The leadership has moved since, and the time is over: both are the kill's own doing.
    at.kafka.looks = [{ leader: 1000 }];
    const act = await kill(at, { ...plan, notAfter: Date.now() - 1 }, 2);
    expect(act).toMatchObject({ outcome: 'deleted', repeated: true });
    expect(deletions(at)).toEqual([]);
  },
);

test('a look for a kill whose answer was lost finds it on its own first attempt, long after notAfter', async () => {
  const { at, plan } = await planned();
  await sentAndLost(at, plan);
  await replacePod(at, 2);
  const look = { ...request(at, { ...plan, notAfter: Date.now() - 1 }), answerLost: true };
  expect(await attempt(makeKill(at.deps), look)).toMatchObject({ outcome: 'deleted', repeated: true });
  expect(deletions(at)).toEqual([]);
});

test('an answer that comes after notAfter is that of one kill, made in time; the request may not be sent again then', async () => {
  const { at, plan } = await planned();
  const late = { ...plan, notAfter: Date.now() + 300 };
  const { remove } = at.kubernetes;
  const fences: (number | undefined)[] = [];
  at.kubernetes.remove = async (ref, options) => {
    fences.push(options?.notAfter);
    const answer = await remove(ref, options);
    await setTimeout(400);
    return answer;
  };
  const act = await kill(at, late);
  expect(act).toMatchObject({ outcome: 'deleted', repeated: false });
  expect(act.outcome === 'deleted' && act.answeredAt).toBeGreaterThan(late.notAfter);
  expect(fences).toEqual([late.notAfter]);
  expect(deletions(at)).toEqual([`delete ${victim}`]);
});

test('a pod that somebody else deleted before the first attempt came to its request is not our kill', async () => {
  const { at, plan } = await planned();
  await replacePod(at, 2);
  expect(await kill(at, plan, 2)).toMatchObject({
    outcome: 'moved',
    reason: expect.stringContaining('somebody else'),
  });
  expect(deletions(at)).toEqual([]);
});

test('the victim’s log is followed before it is hit: afterwards there may be nothing to ask', async () => {
  const { at, plan } = await planned();
  const order: string[] = [];
  at.kubernetes.followLog = async function* (_, container) {
    order.push(`log of ${container}`);
    yield 'a line';
  };
  const { remove } = at.kubernetes;
  at.kubernetes.remove = async (ref, options) => {
    order.push('delete');
    return await remove(ref, options);
  };
  await kill(at, { ...plan, container: { name: 'k8skafka', id: 'c0ffee', restarts: 0 } });
  expect(order).toEqual(['log of k8skafka', 'delete']);
});

test('an attempt after one that came to nothing kills', async () => {
  const { at, plan } = await planned();
  expect(await kill(at, plan, 2)).toMatchObject({ outcome: 'deleted', repeated: false });
  expect(deletions(at)).toEqual([`delete ${victim}`]);
});

test('cancelled while it waits for the deadline: nothing is touched', async () => {
  const { at, plan } = await planned();
  const environment = new MockActivityEnvironment();
  const connected = Promise.withResolvers<void>();
  at.kafka.metadataOfEach = async () => {
    connected.resolve();
    return new Map();
  };
  const killing = environment.run(makeKill(at.deps), request(at, { ...plan, deadline: Date.now() + 60_000 }));
  await connected.promise;
  environment.cancel();
  await expect(killing).rejects.toBeInstanceOf(CancelledFailure);
  expect(deletions(at)).toEqual([]);
});

test('a lock that was set after the plan was made: nothing is touched, and the run hears who wants it to end', async () => {
  const { at, plan } = await planned();
  at.deps.readLock = async () => ({ actor: 'ann', reason: 'a release', since: '2026-01-31T12:00:00.000Z' });
  expect(await kill(at, plan)).toEqual({ outcome: 'locked', by: { actor: 'ann', reason: 'a release' } });
  expect(deletions(at)).toEqual([]);
});

test('a lock that cannot be read is not taken for none', async () => {
  const { at, plan } = await planned();
  at.deps.readLock = () => Promise.reject(new Error('no answer'));
  expect(await refusal(kill(at, plan))).toMatchObject({ retried: true });
  expect(deletions(at)).toEqual([]);
});

test('a crash pod outlives an attempt that fails, for the next one, and no kill that is called off', async () => {
  const crash = async (looks: Look[], trouble: (at: Scene) => void) => {
    const { at, plan } = await planned(looks, { fault: { kind: 'crash', privileged: true } });
    const container = { name: 'k8skafka', id: 'c0ffee00', restarts: 0 };
    const { read } = at.kubernetes;
    at.kubernetes.read = async (ref) => {
      const found = await read(ref);
      return found && ref.namespace === 'leaderfall-crash'
        ? ({ ...found, status: { phase: 'Running' } } as never)
        : (found as never);
    };
    at.kubernetes.podRequest = async () => ({ status: 200, body: '{}' });
    trouble(at);
    await kill(at, { ...plan, node: 'node-2', container }).catch(() => {});
    return [...at.kubernetes.objects.keys()].filter((each) => each.includes('leaderfall-crash'));
  };
  const lockless = (at: Scene) => Object.assign(at.deps, { readLock: () => Promise.reject(new Error('no')) });
  expect(await crash([{}], lockless)).toHaveLength(1);
  expect(await crash([{ leader: 1000 }], () => {})).toEqual([]);
});

test('a worker that took over with a wrong clock kills nobody and says so, and another worker may', async () => {
  const { at, plan } = await planned();
  at.kubernetes.aheadMs = -30_000;
  expect(await refusal(kill(at, plan))).toMatchObject({ code: 'CLOCK_SKEWED', retried: true });
  expect(deletions(at)).toEqual([]);
  at.kubernetes.aheadMs = 0;
  expect(await kill(at, plan, 2)).toMatchObject({ outcome: 'deleted', repeated: false });
});

test.each([
  ['a wrong clock', (at: Scene) => Object.assign(at.kubernetes, { aheadMs: -30_000 })],
  [
    'a lock that cannot be read',
    (at: Scene) => Object.assign(at.deps, { readLock: () => Promise.reject(new Error('no')) }),
  ],
])(
  'an attempt that %s ended before its request leaves no mark: a deletion after it is somebody else’s',
  async (_, trouble) => {
    const { at, plan } = await planned();
    trouble(at);
    await expect(kill(at, plan)).rejects.toThrow();
    await replacePod(at, 2);
    expect(await kill(at, plan, 2)).toMatchObject({
      outcome: 'moved',
      reason: expect.stringContaining('somebody else'),
    });
  },
);

test.each([
  ['protected', { protectedTargets: ['kafka'] }, 'is protected on this worker'],
  [
    'shut',
    {
      killTimes: {
        timeZone: 'UTC',
        open: [],
        freeze: [{ from: '2000-01-01T00:00:00Z', to: '2999-01-01T00:00:00Z' }],
      },
    },
    'makes no kill now',
  ],
])(
  'a worker whose policy is not that of the one that aimed: nothing is touched (%s)',
  async (_, policy, reason) => {
    const { at, plan } = await planned();
    at.deps.policy = policy;
    expect(await kill(at, plan)).toMatchObject({ outcome: 'moved', reason: expect.stringContaining(reason) });
    expect(deletions(at)).toEqual([]);
  },
);

test('a run that is locked while an earlier request may still come waits for it, and books it', async () => {
  const { at, plan } = await planned();
  await sentAndLost(at, plan);
  at.deps.readLock = async () => {
    comesLate(at, plan);
    return { actor: 'ann', reason: 'a release', since: '2026-01-31T12:00:00.000Z' };
  };
  expect(await kill(at, plan, 2)).toMatchObject({ outcome: 'deleted', repeated: true });
});

test('a run that is cancelled while its request is given up waits for it, and books it', async () => {
  const { at, plan } = await planned();
  const environment = new MockActivityEnvironment();
  at.kubernetes.remove = async () => {
    environment.cancel();
    comesLate(at, plan);
    throw problem('KUBERNETES_UNREACHABLE', 'no answer', { retryable: true });
  };
  const act = await environment.run(makeKill(at.deps), request(at, plan));
  expect(act).toMatchObject({ outcome: 'deleted', repeated: true });
});

/** Almost as late as a request may still come, it comes. */
function comesLate(at: Scene, { notAfter }: KillPlan): void {
  vi.useFakeTimers({ toFake: ['Date'], now: notAfter + 4_900 });
  const { read } = at.kubernetes;
  at.kubernetes.read = async (ref) => {
    const found = await read(ref);
    // After a look that still saw the pod.
    if (ref.kind === 'Pod') at.kubernetes.objects.delete(victim);
    return found as never;
  };
}
