import type { BrokenSlo } from '../experiment/abort-on.ts';
import { type SloUnit, sloNameOf, sloUnitOf } from '../experiment/slo.ts';

/** What is written where nothing was seen. */
export const notObserved = 'not observed';

/** `412 ms`, `40.0 s`, `3`, `12 %` */
export function figure(value: number, unit: SloUnit): string {
  if (unit === 'records') return String(value);
  if (unit === '%') return `${Math.round(value)} %`;
  return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`;
}

/** `longest producer outage: 812 ms; at most 500 ms allowed` */
export function brokenText({ id, value, limit }: Pick<BrokenSlo, 'id' | 'value' | 'limit'>): string {
  const unit = sloUnitOf(id);
  return `${sloNameOf(id)}: ${figure(value, unit)}; at most ${figure(limit, unit)} allowed`;
}
