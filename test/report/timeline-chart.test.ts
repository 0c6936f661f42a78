import { describe, expect, it } from 'vitest';
import type { KillRecord } from '../../src/experiment/kill-record.ts';
import { type PartitionChange, packChanges } from '../../src/experiment/partition-changes.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { brokerTimes } from '../../src/report/broker-spans.ts';
import { chartOf } from '../../src/report/timeline-chart.ts';
import { timelineSvg } from '../../src/report/timeline-svg.ts';
import { failedResult, passedResult, provenKill, refusedResult, steadyAt } from './example-result.ts';

/** Spans of one broker as `state from..to` in ms since the first deadline. */
function spansOf(kills: KillRecord[], broker: number): string[] {
  return brokerTimes({ kills })
    .spans.filter((span) => span.broker === broker)
    .map(({ state, from, to }) => `${state} ${from - steadyAt}..${to - steadyAt}`);
}

describe('the spans of brokers', () => {
  const { kills } = passedResult();

  it('follow a killed leader from its shutdown to its return', () => {
    expect(spansOf(kills.slice(0, 1), 1)).toEqual([
      'leader 0..6',
      'stopping 6..1906',
      'out-of-sync 1906..9506',
    ]);
  });

  it('follow leadership from broker to broker', () => {
    expect(spansOf(kills, 2).slice(0, 3)).toEqual([
      'in-sync 0..316',
      'leader 316..20006',
      'stopping 20006..21906',
    ]);
    expect(spansOf(kills, 0)).toContain('leader 20316..40006');
  });

  it('claim no leader between two kills that disagree on it', () => {
    const second = provenKill(1, 0, 1);
    expect(spansOf([provenKill(0, 1, 2), second], 2)).toEqual([
      'in-sync 0..316',
      'leader 316..9506',
      expect.stringMatching(/^in-sync 9506/),
    ]);
    expect(spansOf([provenKill(0, 1, 2), second], 0)).toContain('leader 20000..20006');
  });

  it('keep the leader where a follower is killed, and take the pod’s end where the process’s was not seen', () => {
    const [first] = kills;
    const { processGoneAt, newLeader, newLeaderAt, timeToNewLeaderMs, ...proof } = first?.proof ?? {
      proven: true,
      evidence: [],
    };
    const follower = { ...first, plan: { ...first?.plan, leader: 0 }, proof } as KillRecord;
    const next = { ...provenKill(1, 0, 2) };
    expect(spansOf([follower, next], 0)[0]).toBe('leader 0..20006');
    expect(spansOf([follower, next], 1)).toEqual([
      'in-sync 0..6',
      'stopping 6..2406',
      'out-of-sync 2406..9506',
      expect.stringMatching(/^in-sync 9506/),
    ]);
  });

  it('show a partition without a leader as that', () => {
    const [first] = kills;
    const { newLeader, newLeaderAt, ...proof } = first?.proof ?? { proven: true, evidence: [] };
    const leaderless = spansOf([{ ...first, proof } as KillRecord], 2);
    expect(leaderless).toEqual(['in-sync 0..9506']);
    expect(spansOf([{ ...first, proof } as KillRecord], 1)).toContain('out-of-sync 1906..9506');
  });

  it('say nothing after a kill that was aimed and not made', () => {
    const [first] = kills;
    const skipped = { ...first, act: { outcome: 'skipped', reason: 'late', at: 0 }, proof: undefined };
    expect(spansOf([skipped, kills[1]] as KillRecord[], 1)[0]).toBe('leader 0..20000');
    expect(brokerTimes({ kills: [{ ...first, proof: undefined } as KillRecord] }).spans).toHaveLength(3);
  });

  it('end with the last observation', () => {
    expect(spansOf(failedResult().kills, 1)).toEqual(['leader 0..6', 'stopping 6..1906']);
  });

  it('are none where no kill was aimed', () => {
    expect(
      brokerTimes({ kills: [{ index: 0, deadline: '', status: 'skipped', retargets: 0 }] }).spans,
    ).toEqual([]);
  });
});

describe('the spans of brokers that the observer saw', () => {
  /** Seconds since the first deadline. */
  const change = (s: number, kind: PartitionChange['kind'], ...brokers: number[]) => ({
    ...{ at: steadyAt + s * 1_000, kind, brokers },
  });
  const part = (from: number, to: number, changes: PartitionChange[]) => ({
    changes: packChanges(steadyAt + from * 1_000, steadyAt + to * 1_000, changes),
  });
  const spans = (parts: ReturnType<typeof part>[], broker: number, kills: KillRecord[] = []) =>
    brokerTimes({ kills, parts })
      .spans.filter((span) => span.broker === broker)
      .map(({ state, from, to }) => `${state} ${from - steadyAt}..${to - steadyAt}`);
  const begun = [change(-10, 'leader', 1), change(-10, 'isr', 0, 1, 2)];

  it('reach over the whole run, with what no kill had a part in', () => {
    const parts = [
      part(-10, 60, [...begun, change(30, 'isr', 1, 2), change(31, 'isr', 0, 1, 2), change(40, 'leader', 2)]),
    ];
    expect(spans(parts, 0)).toEqual([
      'in-sync -10000..30000',
      'out-of-sync 30000..31000',
      'in-sync 31000..60000',
    ]);
    expect(spans(parts, 1)).toEqual(['leader -10000..40000', 'in-sync 40000..60000']);
    expect(spans(parts, 2)).toEqual(['in-sync -10000..40000', 'leader 40000..60000']);
  });

  it('follow a killed leader through its shutdown, whatever the metadata still says of it', () => {
    const parts = [
      part(-10, 60, [
        ...begun,
        change(0.31, 'leader', 2),
        change(1.9, 'gone', 1),
        change(4, 'isr', 0, 2),
        change(8, 'back', 1),
        change(9.5, 'isr', 0, 1, 2),
      ]),
    ];
    expect(spans(parts, 1, [provenKill(0, 1, 2)])).toEqual([
      'leader -10000..6',
      'stopping 6..1900',
      'out-of-sync 1900..9500',
      'in-sync 9500..60000',
    ]);
    expect(spans([part(-10, 60, begun)], 1, [])).toEqual(['leader -10000..60000']);
  });

  it('claim nothing between two parts, and nothing of before in the second', () => {
    const parts = [part(-10, 20, begun), part(30, 40, [change(30, 'isr', 0, 2)])];
    expect(spans(parts, 1)).toEqual(['leader -10000..20000', 'out-of-sync 30000..40000']);
    expect(spans(parts, 2)).toEqual(['in-sync -10000..20000', 'in-sync 30000..40000']);
  });

  it('go on without a seam where one part follows another', () => {
    const again = [change(20, 'leader', 1), change(20, 'isr', 0, 1, 2)];
    expect(spans([part(-10, 20, begun), part(20, 40, again)], 1)).toEqual(['leader -10000..40000']);
  });

  it('have lanes without any plan of a kill', () => {
    const kill: KillRecord = {
      index: 0,
      deadline: new Date(steadyAt).toISOString(),
      status: 'skipped',
      retargets: 0,
    };
    const chart = chartOf({ ...passedResult(), kills: [kill], parts: [part(-10, 60, begun)] });
    expect(chart?.lanes).toEqual(['stream', 'broker 0', 'broker 1', 'broker 2']);
    expect(chart?.from).toBeLessThan(-10);
  });
});

describe('the chart of a run', () => {
  it('has a lane for the stream and one for each broker of the partition', () => {
    expect(chartOf(passedResult())?.lanes).toEqual(['stream', 'broker 0', 'broker 1', 'broker 2']);
  });

  it('puts kills and the longest silence on one axis of seconds', () => {
    const chart = chartOf(passedResult());
    expect(chart?.kills.map(({ at }) => at)).toEqual([0.006, 20.006, 40.006]);
    const silence = chart?.bars.find(({ kind }) => kind === 'silence');
    expect(silence).toEqual({ lane: 0, kind: 'silence', from: 20.1, to: expect.closeTo(20.74) });
  });

  it('ends the stream where its consumer gave up, and says what was not seen', () => {
    const chart = chartOf(failedResult());
    expect(chart?.bars.find(({ kind }) => kind === 'stream')?.to).toBe(40.05);
    expect(chart?.kills[0]?.facts).toEqual(['new leader not seen', 'full ISR not seen']);
  });

  it('ends with the verdict, or with the run where there is none', () => {
    const streamEnd = (result: ChaosResult) =>
      chartOf(result)?.bars.find(({ kind }) => kind === 'stream')?.to;
    expect(streamEnd(passedResult())).toBe(52);
    expect(streamEnd({ ...passedResult(), timeline: [] })).toBe(53);
  });

  it('has no stream bar where the stream was not observed', () => {
    expect(chartOf({ ...passedResult(), stream: undefined })?.bars.some(({ lane }) => lane === 0)).toBe(
      false,
    );
  });

  it('has a lane for the partition’s outages where they were looked for', () => {
    const stream = passedResult().stream;
    const outage = { at: steadyAt + 20_120, ms: 300, how: 'cut' as const };
    const partitionOutages = {
      count: 1,
      totalMs: 300,
      longestMs: 300,
      stepMs: 5,
      floorMs: 10,
      longest: [outage],
    };
    const chart = chartOf({ ...passedResult(), stream: stream && { ...stream, partitionOutages } });
    expect(chart?.lanes).toEqual(['stream', 'partition', 'broker 0', 'broker 1', 'broker 2']);
    expect(chart?.bars.find(({ kind }) => kind === 'outage')).toEqual({
      lane: 1,
      kind: 'outage',
      from: 20.12,
      to: expect.closeTo(20.42),
    });
    expect(chart?.bars.find(({ kind }) => kind === 'leader')?.lane).toBe(3);
  });

  it('has a lane for the producer’s outages where they were looked for', () => {
    const stream = passedResult().stream;
    const producerOutage = { count: 1, maxMs: 700, totalMs: 700 };
    const outage = {
      ...{ partition: 0, at: steadyAt + 20_100, ms: 700, errors: {}, failedSends: 0, retries: 0 },
      ...{ backoffMs: 0, rebuilds: 0 },
    };
    const lanesOf = (longest: (typeof outage)[]) =>
      chartOf({
        ...passedResult(),
        stream: stream && { ...stream, producerOutage, producerOutages: longest },
      });
    expect(lanesOf([])?.lanes.slice(0, 2)).toEqual(['stream', 'producer']);
    expect(lanesOf([outage])?.bars.find(({ kind }) => kind === 'no-ack')).toEqual({
      ...{ lane: 1, kind: 'no-ack', from: 20.1, to: expect.closeTo(20.8) },
    });
  });

  it('marks death, new leader and full ISR in the lane of the broker that they befell', () => {
    const marks = chartOf(passedResult())?.marks.filter(({ kill }) => kill === 1);
    expect(marks).toEqual([
      { lane: 3, kind: 'death', at: expect.closeTo(21.906), kill: 1 },
      { lane: 1, kind: 'new-leader', at: expect.closeTo(20.316), kill: 1 },
      { lane: 3, kind: 'full-isr', at: expect.closeTo(30.206), kill: 1 },
    ]);
    expect(chartOf(failedResult())?.marks.map(({ kind }) => kind)).toEqual(['death']);
  });

  it('leaves out kills that were not made', () => {
    const result = passedResult();
    const [first, second] = result.kills;
    const skipped = { ...second, act: { outcome: 'skipped', reason: 'late', at: 0 }, proof: undefined };
    const kills = [first, skipped] as ChaosResult['kills'];
    expect(chartOf({ ...result, kills })?.kills).toHaveLength(1);
  });

  it('is none where nobody was killed', () => {
    expect(chartOf(refusedResult())).toBeUndefined();
  });
});

describe('the picture of a run', () => {
  it('names verdict, experiment, lanes and kills', () => {
    const svg = timelineSvg(passedResult());
    expect(svg).toMatch(/^<svg [^>]*width="960"/);
    for (const text of ['Pass', 'kafka-chaos', 'broker 2', 'kill 3', 'leader 1 in 310 ms', 'out of sync']) {
      expect(svg).toContain(`>${text}</text>`);
    }
  });

  it('of a refused run is its verdict and reason, escaped', () => {
    const svg = timelineSvg({ ...refusedResult(), reasons: ['<script>"a" & b'] });
    expect(svg).toContain('&lt;script&gt;');
    expect(svg).not.toContain('<script>');
    expect(svg).not.toContain('kill 1');
  });

  it('keeps the figures of many kills from running into each other', () => {
    const result = passedResult();
    const kills = Array.from({ length: 12 }, (_, index) => provenKill(index, index % 3, (index + 1) % 3));
    const svg = timelineSvg({ ...result, kills, plannedKills: 12 });
    expect(svg).toContain('>kill 12</text>');
    expect(svg).not.toContain('ISR full in');
  });
});
