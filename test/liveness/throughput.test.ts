import { describe, expect, it } from 'vitest';
import type { TimeSpan } from '../../src/experiment/spans.ts';
import { throughput } from '../../src/liveness/throughput.ts';

const fault = [{ from: 3_000, to: 5_000 }];

/** Of a stream with so many acks in each second, from the second that begins at 0 ms. */
function dip(acked: number[], spans: TimeSpan[], { since = 0, to = acked.length * 1_000 - 500 } = {}) {
  const found = throughput({ spans, since }, { from: 0, to });
  for (const [second, count] of acked.entries()) found.take(second * 1_000, count);
  return found.dipPercent();
}

describe('the dip of the throughput', () => {
  it('is the share that the worst second lost against the usual one', () => {
    expect(dip([100, 100, 100, 90, 25, 100, 100], fault)).toBe(75);
  });

  it('is nothing where the backlog came faster', () => {
    expect(dip([100, 100, 100, 150, 120, 100, 100], fault)).toBe(0);
  });

  it('does not count the partial seconds at both ends', () => {
    expect(dip([3, 100, 100, 80, 80, 80, 1], [{ from: 3_000, to: 7_000 }])).toBe(20);
  });

  it('ends with the producer, though the record goes on', () => {
    expect(dip([100, 100, 100, 80, 80, 0, 0], [{ from: 3_000, to: 9_000 }], { to: 5_000 })).toBe(20);
  });

  it('leaves out what was before the stream was steady', () => {
    expect(dip([10, 10, 10, 10, 100, 100, 50, 100], [{ from: 6_000, to: 7_000 }], { since: 4_000 })).toBe(50);
  });

  it.each([
    ['there was no fault', [100, 100, 100, 100], []],
    ['all was a fault', [100, 100, 100, 100], [{ from: 0, to: 9_000 }]],
    ['nothing was seen', [], fault],
  ])('is not known where %s', (_why, acked, spans) => {
    expect(dip(acked, spans)).toBeUndefined();
  });
});
