import { expect, test } from 'vitest';
import { unsentRecords } from '../../src/liveness/unsent.ts';

const start = 1_772_446_507_000;

function recordsAt() {
  let now = start;
  const records = unsentRecords(() => now);
  return (ms: number) => {
    now = start + ms;
    return records;
  };
}

const all = { stepMs: 1_000, spans: [], since: 0 };

test('a record that could not be sent waited until its partition took records again, or still waits', () => {
  const at = recordsAt();
  at(50).failed(0, [start, start, start + 10]);
  at(60).failed(1, [start + 20]);
  expect(at(100).report(all).outside).toEqual([
    [100, 2],
    [90, 1],
    [80, 1],
  ]);
  at(700).served(0);
  at(900).served(0);
  expect(at(1_000).report(all).outside).toEqual([
    [700, 2],
    [690, 1],
    [980, 1],
  ]);
});

test('what waits when the stream is stopped has waited until then, whenever it is asked for', () => {
  const at = recordsAt();
  at(50).failed(0, [start]);
  at(700).end();
  at(800).end();
  expect(at(5_000).report(all).outside).toEqual([[700, 1]]);
});

test('it belongs to the second in which it was due; what was before the stream was steady is left out', () => {
  const at = recordsAt();
  at(9_000).failed(0, [start, start + 3_500, start + 8_000]);
  at(9_000).served(0);
  const spans = [{ from: start + 3_000, to: start + 4_000 }];
  expect(at(9_000).report({ ...all, spans, since: start + 2_000 })).toEqual({
    inside: [[5_500, 1]],
    outside: [[1_000, 1]],
  });
});
