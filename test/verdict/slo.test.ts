import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence, KillRecord, StreamReport } from '../../src/experiment/result.ts';
import { type SloId, sloIds, sloLimits } from '../../src/experiment/slo.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import type { VerdictLine } from '../../src/experiment/verdict-line.ts';
import { judge, verdictOf } from '../../src/verdict/judge.ts';
import { passedResult } from '../report/example-result.ts';

const { kills, stream, experiment } = passedResult();
if (!stream || !experiment) throw new Error('the example is not whole');
const latency = (p99: number) => ({ p50: 1, p99, max: p99, count: 100 });

/** Every figure observed, and every figure 100 at most or 0 where that is the limit by default. */
const fullStream: StreamReport = {
  ...stream,
  longestSilenceMs: 100,
  producerOutage: { count: 1, maxMs: 100, totalMs: 100 },
  faultWindows: {
    count: 3,
    totalMs: 30_000,
    inside: latency(100),
    outside: latency(10),
    throughputDipPercent: 40,
  },
};

const whole: Evidence = {
  experiment,
  plannedKills: 3,
  minKills: 3,
  kills,
  stream: fullStream,
  livenessPod: { state: 'running' },
  isrFullAtEnd: true,
  cancelled: false,
};

/** What a person writes to limit one figure. */
const written: Record<SloId, (limit: number) => object> = {
  lost: (limit) => ({ lost: limit }),
  duplicates: (limit) => ({ duplicates: limit }),
  reorders: (limit) => ({ reorders: limit }),
  'producer-outage-max': (limit) => ({ producerOutageMs: { max: limit } }),
  'producer-outage-total': (limit) => ({ producerOutageMs: { total: limit } }),
  'consumer-silence': (limit) => ({ consumerSilenceMs: limit }),
  'p99-inside-fault': (limit) => ({ p99LatencyMs: { insideFault: limit } }),
  'p99-outside-fault': (limit) => ({ p99LatencyMs: { outsideFault: limit } }),
  'time-to-new-leader': (limit) => ({ timeToNewLeaderMs: limit }),
  'time-to-full-isr': (limit) => ({ timeToFullIsrMs: limit }),
  'throughput-dip': (limit) => ({ throughputDipPercent: limit }),
};

const killsProvenAs = (change: object): Partial<Evidence> => ({
  kills: kills.map((kill): KillRecord => ({ ...kill, proof: kill.proof && { ...kill.proof, ...change } })),
});
const streamAs = (change: Partial<StreamReport>): Partial<Evidence> => ({
  stream: { ...fullStream, ...change },
});

/** Evidence in which a figure has a value, and evidence in which it was not seen. */
const seen: Record<SloId, (value: number) => Partial<Evidence>> = {
  lost: (lost) => streamAs({ lost, lostExamples: [7] }),
  duplicates: (duplicated) => streamAs({ duplicated }),
  reorders: (outOfOrder) => streamAs({ outOfOrder }),
  'producer-outage-max': (maxMs) => streamAs({ producerOutage: { count: 1, maxMs, totalMs: 0 } }),
  'producer-outage-total': (totalMs) => streamAs({ producerOutage: { count: 9, maxMs: 0, totalMs } }),
  'consumer-silence': (longestSilenceMs) => streamAs({ longestSilenceMs }),
  'p99-inside-fault': (p99) => streamAs({ faultWindows: { count: 1, totalMs: 1, inside: latency(p99) } }),
  'p99-outside-fault': (p99) => streamAs({ faultWindows: { count: 1, totalMs: 1, outside: latency(p99) } }),
  'time-to-new-leader': (timeToNewLeaderMs) => killsProvenAs({ timeToNewLeaderMs }),
  'time-to-full-isr': (timeToFullIsrMs) => killsProvenAs({ timeToFullIsrMs }),
  'throughput-dip': (throughputDipPercent) =>
    streamAs({ faultWindows: { count: 1, totalMs: 1, throughputDipPercent } }),
};
const unseen: Record<SloId, Partial<Evidence>> = {
  lost: streamAs({ drained: false }),
  duplicates: streamAs({ drained: false }),
  reorders: streamAs({ drained: false }),
  'producer-outage-max': streamAs({ acked: 0, producerOutage: undefined }),
  'producer-outage-total': streamAs({ producerOutage: undefined }),
  'consumer-silence': streamAs({
    silence: { at: '2026-03-02T10:16:00.000Z', silentMs: 1, confirmed: 'not-observed', evidence: [] },
  }),
  'p99-inside-fault': streamAs({ faultWindows: undefined }),
  'p99-outside-fault': streamAs({ faultWindows: undefined }),
  'time-to-new-leader': killsProvenAs({ timeToNewLeaderMs: undefined }),
  'time-to-full-isr': killsProvenAs({ timeToFullIsrMs: undefined }),
  'throughput-dip': streamAs({ faultWindows: undefined }),
};

function withSlo(slo: object, change: Partial<Evidence> = {}): Evidence {
  if (!experiment) throw new Error('unreachable');
  return { ...whole, experiment: { ...experiment, slo: experimentSchema.parse({ slo }).slo }, ...change };
}

function judged(evidence: Evidence, id: VerdictLine['id']) {
  const judgement = judge(evidence);
  const line = judgement.lines.find((one) => one.id === id);
  if (!line) throw new Error(`no line ${id}`);
  return { ...judgement, line };
}

describe.each(sloIds)('the limit of %s', (id) => {
  it('is met by a figure up to it', () => {
    const { line, verdict } = judged(withSlo(written[id](20), seen[id](20)), id);
    expect(line).toMatchObject({ outcome: 'met', limit: 20, value: 20, origin: 'spec' });
    expect(verdict).toBe('Pass');
  });

  it('is not met by one above, which is Fail and names both', () => {
    const { line, verdict, reasons } = judged(withSlo(written[id](20), seen[id](21)), id);
    expect(line).toMatchObject({ outcome: 'not met', limit: 20, value: 21, leadsTo: 'Fail' });
    expect(verdict).toBe('Fail');
    expect(reasons.join()).toMatch(/21.*at most 20/);
  });

  it('was asked for and not observed: Inconclusive', () => {
    const { line, verdict } = judged(withSlo(written[id](20), unseen[id]), id);
    expect(line).toMatchObject({ outcome: 'not observable', leadsTo: 'Inconclusive' });
    expect(line.value).toBeUndefined();
    expect(verdict).toBe('Inconclusive');
  });

  it('has a default that is in force and lies above what a good run shows', () => {
    const { line } = judged(whole, id);
    expect(line).toMatchObject({ outcome: 'met', origin: 'default' });
    const limit = line.limit ?? Number.NaN;
    expect(limit === 0 || limit >= 40).toBe(true);
  });
});

describe('a limit that nobody wrote', () => {
  it.each(sloIds.filter((id) => !['lost', 'duplicates', 'reorders'].includes(id)))(
    'lets %s go unseen',
    (id) => {
      const { line } = judged({ ...whole, ...unseen[id] }, id);
      expect(line.outcome).toBe('not observable');
      expect(line.leadsTo).toBeUndefined();
    },
  );

  it.each(['lost', 'duplicates', 'reorders'] as const)('does not let %s go unseen', (id) => {
    expect(judged({ ...whole, ...unseen[id] }, id).line.leadsTo).toBe('Inconclusive');
  });

  it.each(['lost', 'duplicates', 'reorders'] as const)('fails one of %s', (id) => {
    expect(judge({ ...whole, ...seen[id](1) }).verdict).toBe('Fail');
  });
});

describe('what was seen in part', () => {
  it('fails a count that is too high already', () => {
    const { line } = judged({ ...whole, ...streamAs({ drained: false, duplicated: 2 }) }, 'duplicates');
    expect(line).toMatchObject({ outcome: 'not met', observed: '≥ 2' });
  });

  it('does not meet a limit on recovery where one of the kills was not seen to recover', () => {
    const [first, ...others] = kills;
    if (!first?.proof) throw new Error('no proof');
    const { timeToFullIsrMs: _, ...proof } = first.proof;
    const evidence = withSlo({ timeToFullIsrMs: 60_000 }, { kills: [{ ...first, proof }, ...others] });
    expect(judged(evidence, 'time-to-full-isr').line.outcome).toBe('not observable');
  });

  it('takes the longest gap between acks where outages were not told apart', () => {
    const evidence = { ...whole, ...streamAs({ producerOutage: undefined, longestAckGapMs: 615 }) };
    expect(judged(evidence, 'producer-outage-max').line.value).toBe(615);
  });

  it('takes the silence of the reader beside a client that was stuck, and says so', () => {
    const reader = {
      ...{ read: 100, longestSilenceMs: 90, leaderChanges: 3, longestSwitchMs: 90, longestStuckMs: 8_000 },
      stuckEvidence: ['offset 41 was served for 8 s before the consumer read it'],
    };
    const slo = { consumerSilenceMs: 100 };
    const stuck = withSlo(slo, streamAs({ longestSilenceMs: 9_000, directReader: reader }));
    const { line, verdict } = judged(stuck, 'consumer-silence');
    expect(line).toMatchObject({ outcome: 'met', value: 90 });
    expect(line.because.join()).toMatch(/9000 ms, but its client was stuck.*90 ms.*offset 41/);
    expect(verdict).toBe('Pass');
    const kept = withSlo(
      slo,
      streamAs({ longestSilenceMs: 9_000, directReader: { ...reader, stuckEvidence: [] } }),
    );
    expect(judge(kept).verdict).toBe('Fail');
  });

  it('does not hold a latency against the cluster that a client of ours may have made', () => {
    const directReader = {
      ...{ read: 100, longestSilenceMs: 90, leaderChanges: 3, longestSwitchMs: 90, longestStuckMs: 8_000 },
      stuckEvidence: ['offset 41 was served for 8 s before the consumer read it'],
    };
    const inside = streamAs({ directReader, faultWindows: { count: 1, totalMs: 1, inside: latency(9_000) } });
    const tight = judged(withSlo({ p99LatencyMs: { insideFault: 100 } }, inside), 'p99-inside-fault');
    expect(tight.line).toMatchObject({ outcome: 'not observable', observed: '≤ 9.0 s' });
    expect(tight.line.because.join()).toMatch(/at most 100 ms allowed.*was stuck.*offset 41/);
    expect(tight.verdict).toBe('Inconclusive');
    const wide = judged(withSlo({ p99LatencyMs: { insideFault: 9_000 } }, inside), 'p99-inside-fault');
    expect(wide.line).toMatchObject({ outcome: 'met', value: 9_000 });
  });

  it('counts no leader change where a follower was killed', () => {
    const followers = kills.map((kill) => ({ ...kill, plan: kill.plan && { ...kill.plan, leader: 99 } }));
    expect(judged({ ...whole, kills: followers }, 'time-to-new-leader').line.outcome).toBe('not observable');
  });
});

describe('a regression', () => {
  const baseline = { workflowId: 'w', runId: 'r', endedAt: '2026-03-01T00:00:00.000Z', figures: {} };
  const with310 = { ...baseline, figures: { 'time-to-new-leader': 310, lost: 0 } };
  const slower = { ...killsProvenAs({ timeToNewLeaderMs: 2_000 }), baseline: with310 };

  it('is information: the run passes, and the line names both figures and the other run', () => {
    const { line, verdict } = judged({ ...whole, ...slower }, 'regression');
    expect(line.outcome).toBe('not met');
    expect(line.because[0]).toMatch(/run w of 2026-03-01.*time to a new leader: 2\.0 s, was 310 ms/);
    expect(verdict).toBe('Pass');
  });

  it('fails the run where the spec says so', () => {
    expect(judge(withSlo({ regression: { fail: true } }, slower)).verdict).toBe('Fail');
  });

  it('is none within the tolerance', () => {
    const { line } = judged(
      withSlo({ regression: { fail: true, tolerancePercent: 600 } }, slower),
      'regression',
    );
    expect(line.outcome).toBe('met');
  });

  it('is none within what a busy machine makes of it', () => {
    const near = { ...killsProvenAs({ timeToNewLeaderMs: 500 }), baseline: with310 };
    const { line } = judged(withSlo({ regression: { fail: true, tolerancePercent: 0 } }, near), 'regression');
    expect(line.outcome).toBe('met');
  });

  it('is any more records lost, even within the limit', () => {
    const evidence = withSlo({ lost: 9, regression: { fail: true } }, { ...seen.lost(1), baseline: with310 });
    expect(judge(evidence).verdict).toBe('Fail');
  });

  it('tolerates no share of records, as it does of times', () => {
    const lost10 = { ...baseline, figures: { lost: 10 } };
    const slo = { lost: 99, regression: { fail: true } };
    expect(judge(withSlo(slo, { ...seen.lost(11), baseline: lost10 })).verdict).toBe('Fail');
    expect(judge(withSlo(slo, { ...seen.lost(10), baseline: lost10 })).verdict).toBe('Pass');
  });

  it('cannot be told of a first run, which may pass all the same', () => {
    const { line, verdict } = judged(withSlo({ regression: { fail: true } }), 'regression');
    expect(line.outcome).toBe('not observable');
    expect(verdict).toBe('Pass');
  });
});

describe('every verdict', () => {
  const figures = fc.record(
    Object.fromEntries(
      sloIds.map((id) => [
        id,
        fc.record({
          limit: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
          value: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
        }),
      ]),
    ) as Record<SloId, fc.Arbitrary<{ limit: number | undefined; value: number | undefined }>>,
  );

  /** Evidence with just these figures, and limits for some of them. */
  function evidenceWith(drawn: Record<SloId, { limit?: number; value?: number }>): Evidence {
    const value = (id: SloId) => drawn[id].value;
    const p99 = (id: SloId) => (drawn[id].value === undefined ? undefined : latency(drawn[id].value));
    const slo = {
      ...Object.assign(
        {},
        ...sloIds.map((id) => (drawn[id].limit === undefined ? {} : written[id](drawn[id].limit))),
      ),
      producerOutageMs: {
        max: drawn['producer-outage-max'].limit,
        total: drawn['producer-outage-total'].limit,
      },
      p99LatencyMs: {
        insideFault: drawn['p99-inside-fault'].limit,
        outsideFault: drawn['p99-outside-fault'].limit,
      },
    };
    const data = [value('lost'), value('duplicates'), value('reorders')];
    return withSlo(slo, {
      ...killsProvenAs({
        timeToNewLeaderMs: value('time-to-new-leader'),
        timeToFullIsrMs: value('time-to-full-isr'),
      }),
      ...streamAs({
        lost: data[0] ?? 0,
        duplicated: data[1] ?? 0,
        outOfOrder: data[2] ?? 0,
        drained: data.every((count) => count !== undefined),
        longestSilenceMs: value('consumer-silence') ?? 0,
        producerOutage: {
          count: 1,
          maxMs: value('producer-outage-max') ?? 0,
          totalMs: value('producer-outage-total') ?? 0,
        },
        faultWindows: {
          count: 1,
          totalMs: 1,
          inside: p99('p99-inside-fault'),
          outside: p99('p99-outside-fault'),
          throughputDipPercent: value('throughput-dip'),
        },
      }),
    });
  }

  it('is never Pass where a line that is required is not met or was not seen', () => {
    fc.assert(
      fc.property(figures, (drawn) => {
        const evidence = evidenceWith(drawn as Record<SloId, { limit?: number; value?: number }>);
        const { verdict, lines } = judge(evidence);
        for (const { id, limit, origin } of evidence.experiment ? sloLimits(evidence.experiment) : []) {
          const line = lines.find((one) => one.id === id);
          expect(line?.limit).toBe(limit);
          const over = line?.value !== undefined && line.value > limit;
          const missing = line?.value === undefined && origin === 'spec';
          if (over || missing) expect(line?.outcome).not.toBe('met');
          if (over) expect(verdict).toBe('Fail');
          if (missing) expect(verdict).not.toBe('Pass');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is Pass just where no line leads elsewhere, and a gate that is shut comes before all others', () => {
    const line = fc.record({
      gate: fc.boolean(),
      outcome: fc.constantFrom('met', 'not met', 'not observable'),
      leadsTo: fc.constantFrom(undefined, 'Fail', 'Inconclusive', 'Error', 'Stopped'),
    });
    const sound = line.filter(({ gate, outcome, leadsTo }) => {
      if (outcome === 'met') return leadsTo === undefined;
      if (gate && outcome === 'not met') return leadsTo !== undefined;
      return leadsTo === undefined || leadsTo === 'Fail' || leadsTo === 'Inconclusive';
    });
    fc.assert(
      fc.property(fc.array(sound), (lines) => {
        const { verdict } = verdictOf(lines as VerdictLine[]);
        const shut = lines.find(({ gate, outcome }) => gate && outcome === 'not met');
        if (shut) expect(verdict).toBe(shut.leadsTo);
        expect(verdict === 'Pass').toBe(lines.every(({ leadsTo }) => leadsTo === undefined));
      }),
    );
  });

  it('follows from the lines alone', () => {
    fc.assert(
      fc.property(figures, (drawn) => {
        const { verdict, lines } = judge(
          evidenceWith(drawn as Record<SloId, { limit?: number; value?: number }>),
        );
        expect(verdictOf(JSON.parse(JSON.stringify(lines))).verdict).toBe(verdict);
      }),
    );
  });
});
