import { describe, expect, it } from 'vitest';
import { faultSpans } from '../../src/experiment/fault-spans.ts';
import type { KillRecord } from '../../src/experiment/kill-record.ts';
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
