import {
  type Anomaly,
  type AnomalyExample,
  type AnomalyKind,
  anomalyKinds,
} from '../../experiment/anomalies.ts';

/** What was found of each kind so far. */
export type Tally = Map<AnomalyKind, Anomaly>;

/** Counts one or more of a kind; `last` where the last of them is another than the first. */
export function note(
  tally: Tally,
  kind: AnomalyKind,
  first: AnomalyExample,
  count = 1,
  last: AnomalyExample = first,
): void {
  const known = tally.get(kind);
  if (!known) tally.set(kind, { kind, count, first, last });
  else {
    known.count += count;
    known.last = last;
  }
}

/** All kinds that were found, worst first. */
export function listOf(tally: Tally): Anomaly[] {
  return anomalyKinds.flatMap((kind) => tally.get(kind) ?? []);
}

/** How many of a kind were found. */
export function countOf(tally: Tally, kind: AnomalyKind): number {
  return tally.get(kind)?.count ?? 0;
}
