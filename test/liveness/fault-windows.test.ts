import { describe, expect, it } from 'vitest';
import { faultSpans } from '../../src/experiment/fault-spans.ts';
import type { KillRecord } from '../../src/experiment/result.ts';
import type { StreamSeries } from '../../src/experiment/series.ts';
import { throughputDip } from '../../src/liveness/fault-windows.ts';
import { provenKill } from '../report/example-result.ts';

const at = (kill: KillRecord) => (kill.act?.outcome === 'deleted' ? kill.act.requestedAt : 0);

function unrecovered(kill: KillRecord): KillRecord {
  if (!kill.proof) return kill;
  const { timeToFullIsrMs: _, ...proof } = kill.proof;
  return { ...kill, proof };
}

describe('the windows of a fault', () => {
  const [first, second] = [provenKill(0, 1, 2), provenKill(1, 2, 0)];
  const end = at(second) + 60_000;

  it('last from the request to the full ISR', () => {
    expect(faultSpans([first, second], [], end)).toEqual([
      { from: at(first), to: at(first) + 9_500 },
      { from: at(second), to: at(second) + 10_200 },
    ]);
  });

  it('last to the next kill, or to the end, where the recovery was not seen', () => {
    expect(faultSpans([unrecovered(first), unrecovered(second)], [], end)).toEqual([
      { from: at(first), to: at(second) },
      { from: at(second), to: end },
    ]);
  });

  it('end with a recovery that was found later', () => {
    const [span] = faultSpans([unrecovered(first)], [{ index: 0, timeToFullIsrMs: 700 }], end);
    expect(span?.to).toBe(at(first) + 700);
  });

  it('are none for a kill that was not made', () => {
    expect(faultSpans([{ ...first, act: { outcome: 'skipped', reason: '', at: 0 } }], [], end)).toEqual([]);
  });
});

describe('the dip of the throughput', () => {
  const seriesOf = (acked: number[]): StreamSeries => ({ from: 0, stepMs: 1_000, columns: { acked } });
  const fault = [{ from: 3_000, to: 5_000 }];

  it('is the share that the worst second lost against the usual one', () => {
    expect(throughputDip(seriesOf([100, 100, 100, 90, 25, 100, 100]), fault)).toBe(75);
  });

  it('is nothing where the backlog came faster', () => {
    expect(throughputDip(seriesOf([100, 100, 100, 150, 120, 100, 100]), fault)).toBe(0);
  });

  it('does not count the partial seconds at both ends', () => {
    const whole = [{ from: 3_000, to: 7_000 }];
    expect(throughputDip(seriesOf([3, 100, 100, 80, 80, 80, 1]), whole)).toBe(20);
  });

  it('ends with the producer, though the consumer read on', () => {
    const columns = { acked: [100, 100, 100, 80, 80], received: [100, 100, 100, 80, 80, 20, 0] };
    expect(throughputDip({ from: 0, stepMs: 1_000, columns }, [{ from: 3_000, to: 9_000 }])).toBe(20);
  });

  it('looks at the slowest second of a point that holds several', () => {
    const acked = [100, 100, 100, 90, 100, 100];
    const ackedMin = [100, 100, 100, 10, 100, 100];
    const series = { from: 0, stepMs: 2_000, columns: { acked, ackedMin } };
    expect(throughputDip(series, [{ from: 6_000, to: 8_000 }])).toBe(90);
  });

  it.each([
    ['there was no fault', seriesOf([100, 100, 100, 100]), []],
    ['all was a fault', seriesOf([100, 100, 100, 100]), [{ from: 0, to: 9_000 }]],
    ['the producer was not observed', { from: 0, stepMs: 1_000, columns: { received: [1, 1, 1] } }, fault],
  ])('is not known where %s', (_why, series, spans) => {
    expect(throughputDip(series, spans)).toBeUndefined();
  });
});
