import { describe, expect, it } from 'vitest';
import { sloIds } from '../../src/experiment/slo.ts';
import { judge } from '../../src/verdict/judge.ts';
import {
  judged,
  killsProvenAs,
  latency,
  seen,
  streamAs,
  unseen,
  whole,
  withSlo,
  written,
} from './slo-support.ts';

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
    const [first, ...others] = whole.kills;
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

  describe('where the producer’s client was stuck', () => {
    const at = Date.parse('2026-03-02T10:16:00.000Z');
    const outage = { partition: 0, at, errors: {}, failedSends: 0, retries: 0, backoffMs: 0, rebuilds: 0 };
    /** One outage of 9 s, so much of it the client's own. */
    const stuckFor = (stuckMs: number) =>
      streamAs({
        producerOutage: { count: 1, maxMs: 9_000, totalMs: 9_000 },
        producerOutages: [{ ...outage, ms: 9_000, ...(stuckMs > 0 ? { stuckMs } : {}) }],
      });

    it.each(['max', 'total'])(
      'a limit on outages (%s) that it alone breaks is an Error, never a Fail',
      (limit) => {
        const slo = { producerOutageMs: { max: 60_000, total: 60_000, [limit]: 3_000 } };
        const { line, verdict, reasons } = judged(withSlo(slo, stuckFor(7_000)), 'tool');
        expect(verdict).toBe('Error');
        expect(line.outcome).toBe('not met');
        expect(reasons.join()).toMatch(/partition 0.*client was stuck for 7.0 s of 9.0 s.*10:16:00/);
        expect(judge(withSlo(slo, stuckFor(0))).verdict).toBe('Fail');
      },
    );

    it('what the cluster made of it by itself still fails', () => {
      expect(judge(withSlo({ producerOutageMs: { max: 1_000 } }, stuckFor(7_000))).verdict).toBe('Fail');
    });

    it('what the client lost of one partition excuses nothing of another that lost more', () => {
      const producerOutage = { count: 2, maxMs: 9_000, totalMs: 9_000, worst: 1 };
      const elsewhere = streamAs({ ...stuckFor(7_000).stream, producerOutage });
      const slo = { producerOutageMs: { max: 60_000, total: 3_000 } };
      expect(judge(withSlo(slo, elsewhere)).verdict).toBe('Fail');
    });

    it('what it lost of the partition that lost most excuses nothing of another that breaks the limit by itself', () => {
      const slo = { producerOutageMs: { max: 60_000, total: 3_000 } };
      const besides = (ms: number) =>
        streamAs({
          producerOutage: { count: 3, maxMs: 9_000, totalMs: 9_000, worst: 0 },
          producerOutages: [
            { ...outage, ms: 9_000, stuckMs: 8_000 },
            { ...outage, partition: 1, ms },
            { ...outage, partition: 1, ms },
          ],
        });
      expect(judge(withSlo(slo, besides(2_500))).verdict).toBe('Fail');
      expect(judge(withSlo(slo, besides(1_500))).verdict).toBe('Error');
    });

    it('a limit that is kept all the same is kept', () => {
      expect(judge(withSlo({ producerOutageMs: { max: 9_000 } }, stuckFor(7_000))).verdict).toBe('Pass');
    });
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
    const followers = whole.kills.map((kill) => ({
      ...kill,
      plan: kill.plan && { ...kill.plan, leader: 99 },
    }));
    const asked = { ...withSlo({ timeToNewLeaderMs: 100 }, {}), kills: followers };
    const { line, verdict } = judged(asked, 'time-to-new-leader');
    expect(line).toMatchObject({
      outcome: 'met',
      observed: 'none',
      because: [/no leader of the stream/].map((text) => expect.stringMatching(text)),
    });
    expect(verdict).toBe('Pass');
    expect(judged({ ...asked, kills: [] }, 'time-to-new-leader').line.outcome).toBe('not observable');
  });
});

it('grants outages together once the longest for each kill, those too by which a run was extended', () => {
  const outages = seen['producer-outage-total'](19_500);
  const slo = { producerOutageMs: { max: 5_000 } };
  const limitOf = (evidence: Parameters<typeof judged>[0]) =>
    judged(evidence, 'producer-outage-total').line.limit;
  expect(limitOf(withSlo(slo, outages))).toBe(15_000);
  const extended = withSlo(slo, { ...outages, plannedKills: 13 });
  expect(limitOf(extended)).toBe(65_000);
  expect(judge(extended).verdict).toBe('Pass');
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

  it('is no sum of outages over more kills than the spec has', () => {
    const total = { ...baseline, figures: { 'producer-outage-total': 1_000 } };
    const sum = { ...seen['producer-outage-total'](9_000), baseline: total };
    const slo = { regression: { fail: true } };
    expect(judged(withSlo(slo, sum), 'regression').line.outcome).toBe('not met');
    expect(judged(withSlo(slo, { ...sum, plannedKills: 13 }), 'regression').line.outcome).toBe('met');
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
