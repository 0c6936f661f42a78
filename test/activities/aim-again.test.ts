import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type LeaderfallError, problem } from '../../src/experiment/errors.ts';
import type { GuardWait } from '../../src/experiment/kill-record.ts';
import { aim, aimAttempt, aimed, holdClock, lookMs, shrunk, start, waits } from './aim-support.ts';
import { refusal, type Scene } from './step-support.ts';

/** An attempt that meets trouble, and the one after it: what the guard has waited is lost by neither. */
holdClock();

const away = problem('KUBERNETES_UNREACHABLE', 'GET /api/v1/namespaces/kafka/pods: fetch failed', {
  retryable: true,
});

/** From the `first` look at the pods on (from 0), so many fail; the first is the one by which Kafka is reached. */
function failLists(at: Scene, error: LeaderfallError, first: number, many = Number.POSITIVE_INFINITY): void {
  const { list } = at.kubernetes;
  let looks = 0;
  at.kubernetes.list = async (kind, ...rest) => {
    if (kind.kind === 'Pod' && looks++ >= first && looks <= first + many) throw error;
    return await list(kind, ...rest);
  };
}

/** What a beat has told. */
interface Beat {
  step: string;
  lines: string[];
  waited?: GuardWait;
}

/** The first beat of an attempt. */
async function firstBeat(beats: unknown[]): Promise<Beat> {
  await expect.poll(() => beats.length, { timeout: 30_000 }).toBeGreaterThan(0);
  return beats[0] as Beat;
}

/** The last beat of an attempt that the guard kept waiting, beyond what was waited before, until its worker was lost. */
async function lostBeat(
  at: Scene,
  round: { waited?: GuardWait; deadline?: number } = {},
  before?: Beat,
): Promise<Beat> {
  const { aim: lost, beats, lose } = aimAttempt(at, round, before);
  const last = () => beats.at(-1) as Beat | undefined;
  const { guardWaitMs: beforeMs = 0 } = before?.waited ?? round.waited ?? {};
  const waitedMs = () => last()?.waited?.guardWaitMs ?? 0;
  await expect.poll(waitedMs, { timeout: 30_000 }).toBeGreaterThan(beforeMs);
  lose();
  await expect(lost).rejects.toThrow('CANCELLED');
  return last() as Beat;
}

/** A scene in which an attempt has beaten before it comes to look. */
async function slow(): Promise<Scene> {
  const at = await aimed([{}]);
  const { read } = at.kubernetes;
  at.kubernetes.read = async (ref) => {
    await delay(200);
    return await read(ref);
  };
  return at;
}

test('a list of pods that fails for a moment is one more reason to wait, and what was waited still counts', async () => {
  const at = await aimed([shrunk, shrunk, {}]);
  failLists(at, away, 1, 1);
  const reason = `the brokers’ pods are not known: ${away.message}`;
  // From the deadline, after the first look: one more, one at which the pods are not known, and two until they are asked for again.
  const waitedMs = 4 * lookMs;
  expect(await aim(at)).toMatchObject({
    plan: {
      guardWaitMs: waitedMs,
      guardReasons: [waits, reason],
      notAfter: start + lookMs + waitedMs + 10_000,
    },
  });
});

test('an API server that stays away skips the kill for that reason, without its host', async () => {
  const at = await aimed([{}]);
  const hosted = 'GET /api: connect ECONNREFUSED 10.9.8.7:6443';
  failLists(at, problem('KUBERNETES_UNREACHABLE', hosted, { retryable: true }), 1);
  expect(await aim(at, { until: start + 2 * lookMs })).toEqual({
    outcome: 'skipped',
    reason:
      'the guard waited up to the next deadline: the brokers’ pods are not known: GET /api: connect ECONNREFUSED <host>',
  });
});

test.each([
  ['rights that are missing', problem('KUBERNETES_REFUSED', 'pods is forbidden'), false],
  ['settings that are wrong', problem('CONFIGURATION_INVALID', 'no Kubernetes cluster is configured'), false],
  ['credentials that are this worker’s', problem('KUBERNETES_REFUSED', '401', { retryable: true }), true],
])('%s end the attempt', async (_, error, retried) => {
  const at = await aimed([{}]);
  failLists(at, error, 1);
  expect(await refusal(aim(at))).toMatchObject({ code: error.problem.code, retried });
});

test('an attempt goes on from what the guard had waited when the worker of the one before was lost', async () => {
  const at = await aimed([shrunk]);
  const { step, lines, waited } = await lostBeat(at);
  expect({ step, lines }).toEqual({ step: 'kill', lines: [`kill 1: the guard waits: ${waits}`] });
  expect(waited?.guardReasons).toEqual([waits]);
  expect(waited?.guardWaitMs).toBeGreaterThan(0);
  const guardWaitMs = waited?.guardWaitMs ?? 0;
  const deadline = start + lookMs;
  expect(await aimAttempt(await aimed([{}]), { deadline }, { step, lines, waited }).aim).toMatchObject({
    plan: { guardWaitMs, guardReasons: [waits], deadline, notAfter: deadline + guardWaitMs + 10_000 },
  });
});

test('what is waited in several attempts, and before the target moved, is added up', async () => {
  const waited = { guardWaitMs: 7_000, guardReasons: ['down: broker 1000'] };
  const deadline = start - 60_000;
  const first = await lostBeat(await aimed([shrunk]), { deadline, waited });
  expect(first.waited?.guardReasons).toEqual(['down: broker 1000', waits]);
  const second = await lostBeat(await aimed([{ ...shrunk, leader: -1 }]), { deadline, waited }, first);
  expect(second.waited?.guardReasons).toEqual(['down: broker 1000', waits, 'the partition has no leader']);
  expect(await aimAttempt(await aimed([{}]), { deadline, waited }, second).aim).toMatchObject({
    plan: second.waited,
  });
});

test('an attempt that has not come to look yet hands on what it was given', async () => {
  const waited = { guardWaitMs: 40_000, guardReasons: [waits] };
  const { aim: ended, beats } = aimAttempt(await slow(), {}, { step: 'kill', lines: [], waited });
  expect(await firstBeat(beats)).toEqual({ step: 'kill', lines: [], waited });
  expect(await ended).toMatchObject({ plan: waited });
});

test('an attempt that waits for nothing beats as ever', async () => {
  const { aim: ended, beats } = aimAttempt(await slow());
  expect(await firstBeat(beats)).toEqual({ step: 'kill', lines: [] });
  await ended;
});

test.each([
  ['an earlier version’s', { step: 'kill', lines: [`kill 1: the guard waits: ${waits}`] }],
  ['no object', 'waits'],
  ['null', null],
  ['another form', { step: 'kill', lines: [], waited: null }],
  [
    'figures of another form',
    { step: 'kill', lines: [], waited: { guardWaitMs: '7', guardReasons: [waits] } },
  ],
  ['reasons of another form', { step: 'kill', lines: [], waited: { guardWaitMs: 7, guardReasons: [{}] } }],
])('a last beat that is %s tells nothing of what was waited', async (_, details) => {
  const waited = { guardWaitMs: 3_000, guardReasons: ['down: broker 1000'] };
  expect(await aimAttempt(await aimed([{}]), { waited }, details).aim).toMatchObject({ plan: waited });
});
