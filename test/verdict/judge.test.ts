import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KillRecord } from '../../src/experiment/kill-record.ts';
import type { Evidence } from '../../src/experiment/result.ts';
import type { ProducerOutage } from '../../src/experiment/stream-figures.ts';
import type { SilenceEnd, StreamReport } from '../../src/experiment/stream-report.ts';
import { judge } from '../../src/verdict/judge.ts';
import { passedResult } from '../report/example-result.ts';

const { kills, stream, experiment } = passedResult();
if (!stream) throw new Error('the example holds no stream');

/** All that Pass needs. */
const whole: Evidence = {
  experiment,
  plannedKills: 3,
  minKills: 3,
  kills,
  stream,
  livenessPod: { state: 'running' },
  isrFullAtEnd: true,
  cancelled: false,
};

const streamWith = (change: Partial<StreamReport>): Partial<Evidence> => ({
  stream: { ...stream, ...change },
});

const killsWith = (index: number, change: Partial<KillRecord>): Partial<Evidence> => ({
  kills: kills.map((kill) => (kill.index === index ? { ...kill, ...change } : kill)),
});

const silence = (confirmed: SilenceEnd['confirmed']): Partial<Evidence> =>
  streamWith({
    consumer: { state: 'terminated', exitCode: 3, reason: 'Error' },
    silence: {
      at: '2026-03-02T10:16:00.000Z',
      silentMs: 40_000,
      confirmed,
      evidence: ['partition has no leader'],
    },
  });

/** RFC 3339, some ms after the first kill's request. */
function firstActAt(ms: number): string {
  const act = kills[0]?.act;
  return new Date((act && 'requestedAt' in act ? act.requestedAt : 0) + ms).toISOString();
}

function producerOutage(at: string, ms: number): ProducerOutage {
  const none = { partition: 0, errors: {}, failedSends: 0, retries: 0, backoffMs: 0, rebuilds: 0 };
  return { ...none, at: Date.parse(at), ms };
}

const problem = {
  code: 'PLAN_FATAL',
  step: 'provision',
  message: 'deploy: no such image',
  retryable: false,
} as const;

describe('the verdict', () => {
  it.each<[string, Partial<Evidence>, string, RegExp]>([
    ['everything is well', {}, 'Pass', /survived 3 of 3 planned kills/],
    [
      'fewer kills were wanted',
      { ...killsWith(1, { status: 'skipped' }), minKills: 2 },
      'Pass',
      /survived 2 of 3/,
    ],

    ['the run was cancelled', { cancelled: true }, 'Stopped', /cancelled/],
    [
      'it was cancelled and much else is wrong',
      { cancelled: true, problem, ...silence('outage') },
      'Stopped',
      /cancelled/,
    ],

    ['a step failed', { problem }, 'Error', /PLAN_FATAL: deploy: no such image/],
    ['a step failed in a broken stream', { problem, ...silence('outage') }, 'Error', /PLAN_FATAL/],
    ['the consumer was stuck', silence('stuck-client'), 'Error', /silent for 40\.0 s though a fresh client/],
    [
      'a container ran out of memory',
      streamWith({ producer: { state: 'terminated', exitCode: 137, reason: 'OOMKilled' } }),
      'Error',
      /kafka-producer was killed for its memory/,
    ],
    [
      'a container ran out of memory and left no word of the stream',
      {
        stream: undefined,
        containers: {
          producer: { state: 'terminated', exitCode: 137, reason: 'OOMKilled' },
          consumer: { state: 'terminated', exitCode: 3 },
          observer: { state: 'running' },
        },
      },
      'Error',
      /^container kafka-producer was killed for its memory$/,
    ],
    [
      'the consumer crashed',
      streamWith({ consumer: { state: 'terminated', exitCode: 1 } }),
      'Error',
      /kafka-consumer ended with exit code 1/,
    ],
    [
      'the observer crashed',
      streamWith({ observer: { state: 'terminated', exitCode: 1, reason: 'Error' } }),
      'Error',
      /kafka-observer ended with exit code 1 \(Error\)/,
    ],
    [
      'a crash comes with lost records',
      streamWith({ lost: 1, lostExamples: [7], consumer: { state: 'terminated', exitCode: 1 } }),
      'Error',
      /exit code 1/,
    ],

    [
      'the pod was deleted by somebody',
      { livenessPod: { state: 'gone', reason: 'deleted' } },
      'Inconclusive',
      /deleted by somebody else: deleted/,
    ],
    [
      'the pod was evicted',
      { livenessPod: { state: 'failed', reason: 'evicted: memory' } },
      'Inconclusive',
      /evicted: memory/,
    ],
    [
      'the pod was replaced',
      { livenessPod: { state: 'replaced' } },
      'Inconclusive',
      /replaced by somebody else/,
    ],
    [
      'the pod went with a stopped container',
      { livenessPod: { state: 'gone' }, ...streamWith({ consumer: { state: 'terminated', exitCode: 137 } }) },
      'Inconclusive',
      /deleted by somebody else/,
    ],

    [
      'the stream broke',
      silence('outage'),
      'Fail',
      /no record for 40\.0 s, and a fresh client saw the outage too/,
    ],
    [
      'the stream broke before the first kill',
      streamWith({
        consumer: { state: 'terminated', exitCode: 3, reason: 'Error' },
        silence: { at: firstActAt(-30_000), silentMs: 10_000, confirmed: 'outage', evidence: [] },
      }),
      'Inconclusive',
      /had stopped 40\.0 s before the first kill: not by this chaos/,
    ],
    [
      'a producer outage above the limit is older than the first kill',
      {
        ...streamWith({
          producerOutage: { count: 1, maxMs: 400_000, totalMs: 400_000 },
          producerOutages: [producerOutage(firstActAt(-500_000), 400_000)],
        }),
      },
      'Inconclusive',
      /a producer outage of .* had begun .* before the first kill/,
    ],
    [
      'a producer outage above the limit came with the kill',
      {
        ...streamWith({
          producerOutage: { count: 1, maxMs: 400_000, totalMs: 400_000 },
          producerOutages: [producerOutage(firstActAt(5), 400_000)],
        }),
      },
      'Fail',
      /longest producer outage/,
    ],
    [
      'the consumer was silent for longer than allowed before the first kill',
      streamWith({ longestSilenceMs: 400_000, longestSilenceAt: firstActAt(-500_000) }),
      'Inconclusive',
      /a silence at the consumer of .* had begun/,
    ],
    [
      'the stream broke with the first kill, as far as clocks can tell',
      streamWith({
        consumer: { state: 'terminated', exitCode: 3, reason: 'Error' },
        silence: { at: firstActAt(9_000), silentMs: 10_000, confirmed: 'outage', evidence: [] },
      }),
      'Fail',
      /the stream stopped/,
    ],
    [
      'the stream broke though nothing was killed',
      {
        ...silence('outage'),
        kills: kills.map(({ act: _, ...kill }) => ({ ...kill, status: 'skipped' as const })),
      },
      'Inconclusive',
      /had stopped though nothing was killed/,
    ],
    [
      'a broker that was aimed at was evicted, and enough other kills are proven',
      {
        ...killsWith(1, {
          status: 'unproven',
          proof: { proven: false, evidence: [], foreign: 'evicted: disk' },
        }),
        minKills: 2,
      },
      'Inconclusive',
      /kill 2: evicted: disk/,
    ],
    [
      'the stream broke before all kills',
      { ...silence('outage'), kills: kills.slice(0, 1) },
      'Fail',
      /the stream stopped/,
    ],
    [
      'acknowledged records are lost',
      streamWith({ lost: 2, lostExamples: [7, 9] }),
      'Fail',
      /2 acknowledged records are lost, the first with index 7/,
    ],
    ['the ISR stayed short', { isrFullAtEnd: false }, 'Fail', /not all replicas were in sync again/],

    [
      'a kill was skipped',
      killsWith(1, { status: 'skipped', reason: 'a broker was down' }),
      'Inconclusive',
      /2 of at least 3 kills proven/,
    ],
    [
      'a kill is not proven',
      killsWith(2, { status: 'unproven', reason: 'unseen' }),
      'Inconclusive',
      /2 of at least 3/,
    ],
    ['kills are missing', { kills: [] }, 'Inconclusive', /0 of at least 3/],
    [
      'nobody was killed and the ISR is short',
      { kills: [], isrFullAtEnd: false },
      'Inconclusive',
      /0 of at least 3/,
    ],
    [
      'the log was not read to its end',
      streamWith({ drained: false, lost: 5 }),
      'Inconclusive',
      /lost records cannot be told/,
    ],
    ['no fresh client could look', silence('not-observed'), 'Inconclusive', /no fresh client could look/],
    ['nothing was received', streamWith({ received: 0 }), 'Inconclusive', /no record was received/],
    [
      'a container was not observed',
      streamWith({ consumer: { state: 'missing' } }),
      'Inconclusive',
      /container kafka-consumer was not observed/,
    ],
    ['there is no stream report', { stream: undefined }, 'Inconclusive', /the stream was not observed/],
    [
      'the pod was not observed',
      { livenessPod: undefined },
      'Inconclusive',
      /the liveness pod was not observed/,
    ],
    ['its limits are not known', { experiment: undefined }, 'Inconclusive', /never resolved/],
    [
      'the ISR was not observed',
      { isrFullAtEnd: undefined },
      'Inconclusive',
      /in sync again was not observed/,
    ],
  ])('where %s is …', (_case, change, verdict, reason) => {
    const judgement = judge({ ...whole, ...change });
    expect(judgement.verdict).toBe(verdict);
    expect(judgement.reasons[0]).toMatch(reason);
  });

  it('names the step of an error, and evaluate for what the evidence shows', () => {
    expect(judge({ ...whole, problem }).failStep).toBe('provision');
    expect(judge({ ...whole, ...silence('outage') }).failStep).toBe('evaluate');
    expect(judge(whole).failStep).toBeUndefined();
  });

  it('says of each missing kill why', () => {
    const { reasons } = judge({
      ...whole,
      ...killsWith(1, { status: 'skipped', reason: 'a broker was down' }),
    });
    expect(reasons).toContain('kill 2 skipped: a broker was down');
  });

  it('names what the fresh client saw', () => {
    expect(judge({ ...whole, ...silence('outage') }).reasons).toContain('partition has no leader');
  });
});

it('a run that was stopped while a step failed is Stopped, and tells both', () => {
  const stoppedBy = { actor: 'ann', reason: 'a release' };
  const { verdict, reasons, failStep } = judge({ ...whole, cancelled: true, stoppedBy, problem });
  expect(verdict).toBe('Stopped');
  expect(reasons).toEqual([
    'stopped by ann: a release',
    'meanwhile step provision failed: PLAN_FATAL: deploy: no such image',
  ]);
  expect(failStep).toBeUndefined();
});

/** Ways in which evidence can be short of what Pass needs; each leaves the rest as it is. */
const shortcomings: Partial<Evidence>[] = [
  { cancelled: true },
  { problem },
  { livenessPod: undefined },
  { livenessPod: { state: 'gone' } },
  { isrFullAtEnd: undefined },
  { isrFullAtEnd: false },
  { stream: undefined },
  { kills: [] },
  { kills: kills.slice(1) },
  killsWith(0, { status: 'unproven' }),
  silence('outage'),
  silence('stuck-client'),
  silence('not-observed'),
  streamWith({ lost: 1, lostExamples: [1] }),
  streamWith({ drained: false }),
  streamWith({ received: 0 }),
  streamWith({ producer: { state: 'missing' } }),
  streamWith({ producer: { state: 'terminated' } }),
];

describe('Pass', () => {
  it('is given only where nothing at all is short', () => {
    const some = fc.subarray(shortcomings, { minLength: 1 });
    fc.assert(
      fc.property(some, (changes) => {
        const { verdict, reasons } = judge(Object.assign({}, whole, ...changes));
        expect(verdict).not.toBe('Pass');
        expect(reasons.length).toBeGreaterThan(0);
      }),
    );
  });

  it('follows from the evidence alone: the same evidence gives the same judgement and stays as it is', () => {
    fc.assert(
      fc.property(fc.subarray(shortcomings), (changes) => {
        const evidence: Evidence = structuredClone(Object.assign({}, whole, ...changes));
        const before = structuredClone(evidence);
        expect(judge(evidence)).toEqual(judge(before));
        expect(evidence).toEqual(before);
      }),
    );
  });
});
