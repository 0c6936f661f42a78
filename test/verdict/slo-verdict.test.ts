import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../src/experiment/result.ts';
import { type SloId, sloIds, sloLimits } from '../../src/experiment/slo.ts';
import type { VerdictLine } from '../../src/experiment/verdict-line.ts';
import { judge, verdictOf } from '../../src/verdict/judge.ts';
import { killsProvenAs, latency, seen, streamAs, whole, withSlo, written } from './slo-support.ts';

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

  it('says once what two of its lines rest on', () => {
    const faultWindows = { ...whole.stream?.faultWindows, count: 1, totalMs: 1, unsent: 41 };
    const { verdict, reasons } = judge({ ...whole, ...streamAs({ faultWindows }) });
    expect(verdict).toBe('Pass');
    expect(reasons.filter((reason) => reason.startsWith('41 records could not be sent'))).toHaveLength(1);
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

describe('a run that stopped injecting', () => {
  const injectingStopped = {
    at: 0,
    reason: 'too long',
    broken: { id: 'producer-outage-max', value: 812, limit: 500, observedAt: 0 },
  } as const;
  const limited = withSlo(
    { producerOutageMs: { max: 500 } },
    {
      kills: whole.kills.map((kill, index) =>
        index === 0 ? kill : { ...kill, status: 'skipped', reason: 'too long' },
      ),
      injectingStopped,
    },
  );

  it('fails by the line that it stopped on, not for the kills that were not made', () => {
    const { verdict, reasons } = judge({ ...limited, ...seen['producer-outage-max'](900) });
    expect(verdict).toBe('Fail');
    expect(reasons[0]).toBe('longest producer outage: 900 ms; at most 500 ms allowed');
    expect(reasons[1]).toContain('at 812 ms it stopped the injecting (abortOn): no kill after 1970-01-01');
  });

  it('is Inconclusive where the end of the stream tells otherwise', () => {
    const { verdict, reasons } = judge({ ...limited, ...seen['producer-outage-max'](100) });
    expect(verdict).toBe('Inconclusive');
    expect(reasons).toContain('kill 2 skipped: too long');
  });
});
