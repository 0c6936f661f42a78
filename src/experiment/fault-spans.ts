import { type KillRecord, wasCarriedOut } from './kill-record.ts';
import type { TimeSpan } from './spans.ts';

/**
 * When a fault could be felt: from each kill's request until all replicas were in sync again, or, where that was not seen, until
 * the next kill, or until `end`. Epoch ms, worker's clock.
 */
export function faultSpans(
  kills: readonly KillRecord[],
  recoveries: readonly { index: number; timeToFullIsrMs: number }[],
  end: number,
): TimeSpan[] {
  const felt = kills.flatMap(({ index, act, proof }) => {
    const later = recoveries.find((recovery) => recovery.index === index);
    const recoveredIn = proof?.timeToFullIsrMs ?? later?.timeToFullIsrMs;
    return wasCarriedOut(act) ? [{ from: act.requestedAt, recoveredIn }] : [];
  });
  return felt.map(({ from, recoveredIn }, index) => {
    const next = felt[index + 1]?.from ?? end;
    return { from, to: recoveredIn === undefined ? next : from + recoveredIn };
  });
}
