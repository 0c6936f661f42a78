import { type PartitionChange, type PartitionChanges, packChanges } from '../experiment/partition-changes.ts';
import { maxObservations } from '../liveness/observer.ts';
import type { Observation, ObserverReport } from '../liveness/protocol.ts';

/**
 * What the observer saw change in a stretch (epoch ms, worker's clock; to its answer at most), beginning with how everything stood.
 * Where it no longer knows that, because too much has changed since, the stretch begins with what it knows. `skewMs`: its clock is so
 * far ahead.
 */
export function changesOf(
  observer: ObserverReport,
  skewMs: number,
  { from, to = Infinity }: { from: number; to?: number },
): PartitionChanges {
  const { observations, startedAt, now } = observer;
  const known = observations.length < maxObservations ? startedAt : (observations[0]?.at ?? now);
  const begin = Math.max(from, known - skewMs);
  const end = Math.min(to, now - skewMs);
  const state = new Map<string, PartitionChange>();
  const after: PartitionChange[] = [];
  for (const observation of observations) {
    const change = changeOf(observation, skewMs);
    if (!change || change.at > end) continue;
    if (change.at > begin) after.push(change);
    else state.set(subjectOf(change), { ...change, at: begin });
  }
  return packChanges(begin, end, [...state.values(), ...after]);
}

function changeOf({ at, kind, broker, isr }: Observation, skewMs: number): PartitionChange | undefined {
  const time = at - skewMs;
  if (kind === 'isr') return { at: time, kind, brokers: isr ?? [] };
  if (kind === 'leader')
    return { at: time, kind, brokers: broker === undefined || broker < 0 ? [] : [broker] };
  if ((kind !== 'broker-gone' && kind !== 'broker-back') || broker === undefined) return undefined;
  return { at: time, kind: kind === 'broker-gone' ? 'gone' : 'back', brokers: [broker] };
}

/** A later change of the same takes its place. */
function subjectOf({ kind, brokers }: PartitionChange): string {
  return kind === 'gone' || kind === 'back' ? `broker ${brokers.join()}` : kind;
}
