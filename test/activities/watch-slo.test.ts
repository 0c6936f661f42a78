import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { brokenSlo } from '../../src/activities/broken-slo.ts';
import { makeKill } from '../../src/activities/kill.ts';
import { makeWatchSlo } from '../../src/activities/watch-slo.ts';
import type { AbortOnId } from '../../src/experiment/abort-on-ids.ts';
import type { KillPlan } from '../../src/experiment/kill-record.ts';
import { takeClaim } from '../../src/kubernetes/lease.ts';
import { livenessPorts } from '../../src/liveness/protocol.ts';
import { attempt, fakeKafka, run, type Scene, scene } from './step-support.ts';

const calm = {
  producer: { longestAckGapMs: 400, outages: { maxMs: 400, totalMs: 400 } },
  consumer: { longestSilenceMs: 400, ledger: { anomalies: [] as object[] } },
};

/** A run that may be out for half a second, of whose pod each look is the next of these; the last one stays. */
async function watched(abortOn: AbortOnId[], ...looks: (typeof calm | 'silent')[]): Promise<Scene> {
  const slo = { producerOutageMs: { max: 500, total: 1_000 }, consumerSilenceMs: 500 };
  const at = await scene(fakeKafka({}), { slo, abortOn });
  at.kubernetes.podRequest = async ({ port }) => {
    const look = looks[0];
    if (port === livenessPorts.consumer && looks.length > 1) looks.shift();
    if (!look || look === 'silent') throw new Error('no answer');
    const side = port === livenessPorts.producer ? look.producer : look.consumer;
    return { status: 200, body: JSON.stringify(side) };
  };
  return at;
}

const out = (maxMs: number) => ({
  ...calm,
  producer: { ...calm.producer, outages: { maxMs, totalMs: maxMs } },
});

const requestOf = ({ context, liveness }: Scene) => ({ resolved: context.resolved, liveness });

test('the watch looks until a line is broken, also where the pod does not answer meanwhile', async () => {
  const at = await watched(['producer-outage-max'], calm, 'silent', out(501));
  const askedAt = Date.now();
  const broken = await attempt(makeWatchSlo(at.deps), requestOf(at));
  expect(broken).toMatchObject({ id: 'producer-outage-max', value: 501, limit: 500 });
  expect(broken.observedAt).toBeGreaterThanOrEqual(askedAt);
  expect(broken.observedAt).toBeLessThanOrEqual(Date.now());
});

test('the watch ends when it is cancelled', async () => {
  const at = await watched(['producer-outage-max'], calm);
  const environment = new MockActivityEnvironment();
  const watching = environment.run(makeWatchSlo(at.deps), requestOf(at));
  environment.cancel();
  await expect(watching).rejects.toBeInstanceOf(CancelledFailure);
});

const silent = { ...calm, consumer: { ...calm.consumer, longestSilenceMs: 900 } };
const stuckClient = {
  ...calm,
  consumer: { ...silent.consumer, direct: { longestSilenceMs: 300, stuckEvidence: ['it was served'] } },
};
const twice = {
  ...calm,
  consumer: { ...calm.consumer, ledger: { anomalies: [{ kind: 'duplicated', count: 2 }] } },
};

test.each<[string, AbortOnId[], typeof calm | 'silent', string | undefined]>([
  ['all is calm', ['producer-outage-max', 'consumer-silence'], calm, undefined],
  ['a limit is just kept', ['producer-outage-max'], out(500), undefined],
  ['an outage is too long', ['producer-outage-max'], out(501), 'producer-outage-max'],
  ['outages are too long together', ['producer-outage-total'], out(1_001), 'producer-outage-total'],
  ['a broken line is not named', ['consumer-silence'], out(9_000), undefined],
  ['the consumer was silent', ['consumer-silence'], silent, 'consumer-silence'],
  ['the silence was its client’s own', ['consumer-silence'], stuckClient, undefined],
  ['a record came twice', ['duplicates'], twice, 'duplicates'],
  ['the pod does not answer', ['producer-outage-max'], 'silent', 'unseen'],
  ['nobody wants to know', ['time-to-new-leader'], 'silent', undefined],
])('%s', async (_, abortOn, look, expected) => {
  const at = await watched(abortOn, look);
  const broken = await brokenSlo(at.kubernetes, at.liveness, at.context.resolved.experiment);
  expect(typeof broken === 'object' ? broken.id : broken).toBe(expected);
});

test('outages may take longer together where the run was extended', async () => {
  const at = await watched(['producer-outage-total'], out(1_501));
  const { experiment } = at.context.resolved;
  experiment.slo.producerOutageMs = { max: 500 };
  expect(await brokenSlo(at.kubernetes, at.liveness, experiment, 3)).toMatchObject({ limit: 1_500 });
  expect(await brokenSlo(at.kubernetes, at.liveness, experiment, 100)).toBeUndefined();
  expect(await kill(at, 100)).toMatchObject({ outcome: 'deleted' });
});

async function kill(at: Scene, kills?: number) {
  const { kubernetes } = at;
  const claimed = { namespace: 'kafka', statefulSet: 'kafka-kafka', durationSeconds: 600, expires: 0 };
  await takeClaim({ kubernetes, run, ...claimed, isClosed: async () => false });
  const deadline = Date.now();
  const podUid = at.kubernetes.objects.get('Pod kafka/kafka-kafka-2')?.metadata?.uid;
  const plan = { index: 0, deadline, notAfter: deadline + 60_000, broker: 1002, podUid };
  const whole = { ...plan, pod: 'kafka-kafka-2', namespace: 'kafka' } as KillPlan;
  return await attempt(makeKill(at.deps), { ...at.context, liveness: at.liveness, plan: whole, kills });
}

const touched = (at: Scene) => at.kubernetes.writes.filter((write) => write.startsWith('delete'));

test('a kill that is due while a line is broken is not made', async () => {
  const at = await watched(['producer-outage-max'], out(812));
  expect(await kill(at)).toMatchObject({
    outcome: 'slo-broken',
    broken: { id: 'producer-outage-max', value: 812, limit: 500 },
  });
  expect(touched(at)).toEqual([]);
});

test('nor is one while nobody can tell', async () => {
  const at = await watched(['producer-outage-max'], 'silent');
  expect(await kill(at)).toMatchObject({ outcome: 'moved', reason: expect.stringContaining('abortOn') });
  expect(touched(at)).toEqual([]);
});
