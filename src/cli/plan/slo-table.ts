import type { SloLimit } from '../../experiment/slo.ts';
import { figure } from '../../verdict/words.ts';

/** One row a limit: what is limited, to how much, and whether that was written or is the default. */
export function sloTable(limits: readonly SloLimit[]): string[] {
  const width = Math.max(0, ...limits.map(({ what }) => what.length));
  return limits.map(({ what, unit, limit, origin, field }) => {
    const asked = origin === 'spec' ? `as written in ${field}` : `default of ${field}`;
    return `${what.padEnd(width)}  ≤ ${figure(limit, unit).padEnd(8)}  ${asked}`;
  });
}
