import { describe, expect, it } from 'vitest';
import type { Anomaly, AnomalyKind, Delivery } from '../../src/experiment/anomalies.ts';
import type { Evidence } from '../../src/experiment/result.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import type { StreamReport } from '../../src/experiment/stream-report.ts';
import type { VerdictLine } from '../../src/experiment/verdict-line.ts';
import { judge } from '../../src/verdict/judge.ts';
import { passedResult } from '../report/example-result.ts';

const { kills, stream, experiment, plannedKills } = passedResult();

const strict: Delivery = { acks: 'all', idempotent: true, retries: true, maxInFlight: 1 };
const unclean: Delivery = { ...strict, uncleanElection: true };
const repeating: Delivery = { ...strict, idempotent: false, maxInFlight: 5 };

function anomaly(kind: AnomalyKind, count = 2): Anomaly {
  return { kind, count, first: { partition: 0, offset: 41 }, last: { partition: 0, offset: 99 } };
}

function judged(change: Partial<StreamReport>, slo: object = {}) {
  if (!stream || !experiment) throw new Error('the example is not whole');
  const evidence: Evidence = {
    ...{ kills, plannedKills, minKills: 3, isrFullAtEnd: true, cancelled: false },
    experiment: { ...experiment, slo: experimentSchema.parse({ slo }).slo },
    livenessPod: { state: 'running' },
    stream: { ...stream, anomalies: [], delivery: strict, ...change },
  };
  const judgement = judge(evidence);
  return { ...judgement, line: (id: VerdictLine['id']) => judgement.lines.find((line) => line.id === id) };
}

describe('the log', () => {
  it.each(['truncated', 'stale', 'damaged'] as const)('that has %s records fails the run', (kind) => {
    const { verdict, reasons } = judged({ anomalies: [anomaly(kind)] });
    expect(verdict).toBe('Fail');
    expect(reasons[0]).toMatch(new RegExp(`2 ${kind} .*partition 0, offset 41`));
  });

  it('may take back what the settings let it, and the line says so', () => {
    const { verdict, line } = judged({ anomalies: [anomaly('truncated')], delivery: unclean });
    expect(line('log')).toMatchObject({ outcome: 'met', observed: '2 truncated' });
    expect(line('log')?.because[0]).toContain('permitted by the settings: an unclean election');
    expect(verdict).toBe('Pass');
  });

  it('may not damage a record under any settings', () => {
    const anomalies = [anomaly('truncated'), anomaly('damaged', 1)];
    expect(judged({ anomalies, delivery: unclean }).verdict).toBe('Fail');
  });

  it('kept everything where the ledger found nothing', () => {
    expect(judged({}).line('log')).toMatchObject({ outcome: 'met', observed: 'none' });
  });
});

describe('the ledger', () => {
  it.each(['gap-open', 'silent-producer'] as const)('with a %s cannot tell: Inconclusive', (kind) => {
    const { verdict, line } = judged({ anomalies: [anomaly(kind)] });
    expect(line('ledger')?.outcome).toBe('not observable');
    expect(verdict).toBe('Inconclusive');
  });

  it('that was not kept is not observable, and never met', () => {
    const { line } = judged({ anomalies: undefined });
    expect([line('log')?.outcome, line('ledger')?.outcome]).toEqual(['not observable', 'not observable']);
  });

  it.each(['unknown-seen', 'unknown-unseen', 'foreign'] as const)(
    'does not hold %s against the cluster',
    (kind) => {
      expect(judged({ anomalies: [anomaly(kind)] }).verdict).toBe('Pass');
    },
  );
});

describe('a duplicate', () => {
  const twice = { duplicated: 2, anomalies: [anomaly('duplicated')] };

  it('that the settings permit is judged by its line, which names them', () => {
    const { verdict, reasons } = judged({ ...twice, delivery: repeating });
    expect(verdict).toBe('Fail');
    expect(reasons[0]).toMatch(
      /2 records duplicated, the first with .*permitted by the settings.*at most 0 allowed/,
    );
  });

  it('passes where the line permits it', () => {
    expect(judged({ ...twice, delivery: repeating }, { duplicates: 2 }).verdict).toBe('Pass');
    expect(judged({ ...twice, delivery: strict }, { duplicates: 2 }).verdict).toBe('Pass');
  });

  it('is not said to be permitted where it is not', () => {
    expect(judged(twice).reasons[0]).not.toContain('permitted');
  });
});

describe('a clock that was set while the stream ran', () => {
  const stepped = { anomalies: [anomaly('clock-step', 1)] };

  it('leaves times unknown: Inconclusive where the spec limits one', () => {
    const { verdict, line } = judged(stepped, { timeToNewLeaderMs: 60_000 });
    expect(line('time-to-new-leader')).toMatchObject({ outcome: 'not observable' });
    expect(verdict).toBe('Inconclusive');
  });

  it('says nothing against the data', () => {
    const { verdict, line } = judged(stepped);
    expect(line('consumer-silence')?.outcome).toBe('not observable');
    expect(verdict).toBe('Pass');
  });
});
