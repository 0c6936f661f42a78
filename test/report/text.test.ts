import { describe, expect, it } from 'vitest';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { resultSchema } from '../../src/experiment/result-schema.ts';
import { textReport } from '../../src/report/text.ts';
import { failedResult, judged, passedResult, refusedResult, steadyAt } from './example-result.ts';

const rowOf = (report: string, start: string) =>
  report.split('\n').find((line) => line.includes(start)) ?? '';

function aimedAtPod(): ChaosResult {
  const { experiment, ...result } = passedResult();
  if (!experiment) throw new Error('the example has no experiment');
  return { ...result, experiment: { ...experiment, target: { pod: 'kafka-kafka-1' } } };
}

describe('the text report', () => {
  it.each([passedResult(), aimedAtPod(), failedResult(), refusedResult()])(
    'is made of results that the schema knows ($verdict)',
    (result) => {
      expect(resultSchema.parse(result)).toEqual(result);
      expect(textReport(result)).toMatch(new RegExp(`^${result.verdict}  kafka-chaos\n  - `));
    },
  );

  it('tells each kill in one row', () => {
    const row = rowOf(textReport(passedResult()), 'kafka-kafka-2');
    for (const cell of ['2', '10:15:20.000', '6 ms', '143', '0 in 310 ms', '10.2 s', 'proven']) {
      expect(row).toContain(` ${cell} `);
    }
  });

  it('shows what was not observed as a dash, not as a figure', () => {
    expect(rowOf(textReport(failedResult()), 'kafka-kafka-1')).toMatch(/143 │ +- │ +- │ +- │ proven/);
  });

  it('tells what was required, what was observed and what came of it', () => {
    const report = textReport(judged(failedResult()));
    const row = rowOf(report, 'the stream never stopped');
    expect(row).toMatch(/│ no silence of 60\.0 s at the consumer +│ silent for 40\.0 s +│ not met/);
    expect(rowOf(report, 'acknowledged records lost')).toMatch(/≤ 0 \(default\) +│ 0 +│ met/);
  });

  it('tells what the run was billed as, as far as its history knows', () => {
    const actions = { starts: 1, activities: 16, timers: 2 };
    expect(rowOf(textReport({ ...passedResult(), actions }), 'Actions')).toContain(
      '19 Actions by history (starts 1, activities 16, timers 2); heartbeats not counted',
    );
    expect(textReport(passedResult())).not.toContain('Actions');
  });

  it('sets the outage of each kill against what its death should cost at most', () => {
    const passed = passedResult();
    const outages = [310, 20_000, 0];
    const kills = passed.kills.map((kill) => ({
      ...kill,
      proof: kill.proof && {
        ...kill.proof,
        expectedOutage: { ms: 2_000, because: ['leadership is handed over'] },
        outageMs: outages[kill.index],
      },
    }));
    const report = textReport({ ...passed, kills });
    expect(rowOf(report, 'kafka-kafka-1')).toContain('310 ms of 2.0 s');
    expect(rowOf(report, 'kafka-kafka-2')).toContain('20.0 s of 2.0 s');
    expect(rowOf(report, 'kafka-kafka-0')).toContain('none of 2.0 s');
    expect(report).toContain('kill 2: the outage of 20.0 s was longer than to be expected');
    expect(report).not.toContain('kill 1: the outage of');
  });

  it('tells when the ISR shrank, when it was full again and which time was the longest', () => {
    const { stream, ...passed } = passedResult();
    const metadata = {
      ...{ leaderlessMs: 0, leaderlessCount: 0, leaderChanges: 3, controllerChanges: 0 },
      underReplicatedSeconds: 12.3,
      shrinks: [
        { partition: 0, at: steadyAt + 400, fullAt: steadyAt + 9_506, least: 2 },
        { partition: 0, at: steadyAt + 20_400, least: 1 },
      ],
    };
    const reportOf = (shrinks: typeof metadata.shrinks) =>
      textReport({ ...passed, stream: stream && { ...stream, metadata: { ...metadata, shrinks } } });
    const report = reportOf(metadata.shrinks);
    expect(rowOf(report, 'ISR  ')).toContain(
      'shrank 2 times, for 9.1 s at most, and was not full at the end;',
    );
    expect(rowOf(report, '10:15:00.400')).toMatch(
      /partition 0 +│ 10:15:00.400 +│ 10:15:09.506 +│ +9.1 s +│ +2/,
    );
    expect(rowOf(report, '10:15:20.400')).toMatch(/│ not seen +│ +- +│ +1/);
    expect(rowOf(reportOf(metadata.shrinks.slice(0, 1)), 'ISR  ')).toContain(
      'shrank once, for 9.1 s at most;',
    );
    expect(rowOf(reportOf([]), 'ISR  ')).toContain('shrank never;');
  });

  it('tells how often a new pod restarted before it stayed', () => {
    const passed = passedResult();
    const kills = passed.kills.map((kill) => ({
      ...kill,
      proof: kill.proof && { ...kill.proof, replacementRestarts: kill.index },
    }));
    const report = textReport({ ...passed, kills });
    expect(report).not.toContain('kill 1: the new pod restarted');
    expect(report).toContain('kill 2: the new pod restarted once before it stayed');
    expect(report).toContain('kill 3: the new pod restarted 2 times before it stayed');
  });

  it('tells how each broker died and what that death may cost', () => {
    const passed = passedResult();
    const kills = passed.kills.map((kill) => ({
      ...kill,
      proof: kill.proof && {
        ...kill.proof,
        death: 'crashed' as const,
        expectedOutage: { ms: 18_000, because: ['zookeeper.session.timeout.ms is 18 s'] },
      },
    }));
    const report = textReport({ ...passed, kills });
    expect(rowOf(report, 'kafka-kafka-2')).toMatch(/│ crashed │ +143 │/);
    expect(report).toContain(
      'kill 1: the outage to expect of this death is 18.0 s at most: zookeeper.session.timeout.ms is 18 s',
    );
  });

  it('tells outages and anomalies with an example', () => {
    const passed = passedResult();
    const one = { partition: 0, producer: 1, sequence: 17, offset: 23 };
    const partitionOutages = { count: 2, totalMs: 900, longestMs: 600, stepMs: 5, floorMs: 10, longest: [] };
    const stream = passed.stream && {
      ...passed.stream,
      partitionOutages,
      producerOutage: { count: 2, maxMs: 640, totalMs: 1_000 },
      anomalies: [{ kind: 'duplicated' as const, count: 2, first: one, last: one }],
    };
    const report = textReport({ ...passed, stream });
    expect(report).toMatch(/outages +2 times, longest 600 ms, together 900 ms; probed every 5 ms/);
    const several = { ...stream, partitionOutages: { ...partitionOutages, partitions: 3 } } as typeof stream;
    expect(textReport({ ...passed, stream: several })).toMatch(
      /outages +2 times, longest 600 ms, together 900 ms in the partition with most, of 3; probed every 5 ms/,
    );
    expect(report).toMatch(/no acks +2 times, longest 640 ms, together 1\.0 s/);
    expect(report).toMatch(
      /duplicated +2: in the log more than once; first partition 0, producer 1, sequence 17/,
    );
  });

  it('tells what the observer, the group and the direct reader saw, and what each outage was made of', () => {
    const passed = passedResult();
    const stream = passed.stream && {
      ...passed.stream,
      metadata: {
        leaderlessMs: 310,
        leaderlessCount: 1,
        leaderChanges: 3,
        controllerChanges: 1,
        underReplicatedSeconds: 29.04,
        shrinks: [{ partition: 0, at: steadyAt, least: 2 }],
      },
      group: { rebalances: 2, rebalanceMs: 700, longestRebalanceMs: 400, coordinatorMoves: 1 },
      directReader: {
        read: 7_421,
        longestSilenceMs: 320,
        leaderChanges: 3,
        longestSwitchMs: 300,
        longestStuckMs: 12,
        stuckEvidence: [],
      },
      producerOutages: [
        {
          partition: 0,
          at: steadyAt + 20_010,
          ms: 615,
          errors: { NOT_LEADER_FOR_PARTITION: 2 },
          failedSends: 0,
          retries: 2,
          backoffMs: 300,
          rebuilds: 0,
          clientRecoveryMs: 290,
        },
      ],
    };
    const report = textReport({ ...passed, stream });
    expect(report).toMatch(/leaderless +once, together 310 ms\n/);
    expect(report).toMatch(/changes +leader 3 times, controller once\n/);
    expect(report).toMatch(
      /ISR +shrank once, and was not full at the end; under-replicated for 29\.0 partition-seconds\n/,
    );
    expect(report).toMatch(
      /group +rebalanced 2 times, longest 400 ms, together 700 ms; coordinator moved once/,
    );
    expect(report).toMatch(/direct reader +7421 read, longest silence 320 ms/);
    const row = rowOf(report, 'producer, partition 0');
    expect(row).toMatch(
      /│ 10:15:20\.010 │ 615 ms │ NOT_LEADER_FOR_PARTITION 2 times; the client repeated 2 times/,
    );
    expect(row).toContain('it waited 300 ms before it did; leader known to first ack 290 ms');
  });

  it('says how the stream ended and what is left', () => {
    const report = textReport(failedResult());
    expect(report).toContain('gave up at 10:15:40.050 after 40.0 s; a fresh client: outage');
    expect(report).toContain('Topic/leaderfall-0193: the brokers refuse topic deletion');
    expect(textReport(passedResult())).toContain('Left behind\n  nothing');
  });

  it('of a refused input is the problem and the next action, without empty tables', () => {
    const report = textReport(refusedResult());
    expect(report).toContain('INPUT_INVALID in step resolve');
    expect(report).toContain('next: `leaderfall schema`');
    expect(report).not.toContain('Kills');
  });

  it('lets no escape sequence of a cluster through to the terminal', () => {
    const result = { ...passedResult(), reasons: ['\u001b[2Jgone\r\nPass'] };
    expect(textReport(result).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(textReport(result)).toContain('  - [2Jgone Pass\n');
  });

  it('is painted by the caller alone', () => {
    expect(textReport(passedResult(), (tone, text) => `<${tone}>${text}`)).toMatch(/^<good>Pass/);
    expect(textReport(passedResult())).not.toContain('\u001b');
  });
});
