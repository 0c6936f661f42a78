import type { UnseenRecovery } from '../experiment/unseen-recovery.ts';
import type { ObserverReport } from '../liveness/protocol.ts';
import type { Closing } from './contract.ts';

/**
 * When all replicas were in sync again after each of these kills, as far as it is seen now: the first full ISR between its shrinking
 * and the next kill, by the observer's record. `now`: epoch ms, when the report was had.
 */
export function recoveriesOf(
  kills: readonly UnseenRecovery[],
  observer: ObserverReport | undefined,
  now: number,
): Closing['recoveries'] {
  if (!observer) return [];
  const skew = observer.aheadMs ?? observer.now - now;
  return kills.flatMap(({ index, requestedAt, before = Number.POSITIVE_INFINITY, replicas }) => {
    const changes = observer.observations
      .filter(({ kind }) => kind === 'isr')
      .map(({ at, isr }) => ({ at: at - skew, size: isr?.length ?? 0 }))
      .filter(({ at }) => at >= requestedAt && at < before);
    const shrank = changes.findIndex(({ size }) => size < replicas);
    const full = shrank < 0 ? undefined : changes.slice(shrank).find(({ size }) => size === replicas);
    return full ? [{ index, timeToFullIsrMs: Math.round(full.at - requestedAt) }] : [];
  });
}
