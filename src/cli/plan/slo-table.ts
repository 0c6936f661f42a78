import type { SloId, SloLimit } from '../../experiment/slo.ts';
import { figure } from '../../verdict/words.ts';

/** One row a limit: what is limited, to how much, whether that was written or is the default, and whether it stops the kills. */
export function sloTable(limits: readonly SloLimit[], abortOn: readonly SloId[] = []): string[] {
  const width = Math.max(0, ...limits.map(({ what }) => what.length));
  return limits.map(({ id, what, unit, limit, origin, field }) => {
    const asked = origin === 'spec' ? `as written in ${field}` : `default of ${field}`;
    return `${what.padEnd(width)}  ≤ ${figure(limit, unit).padEnd(8)}  ${asked}${abortOn.includes(id) ? '; no further kill as soon as it is broken' : ''}`;
  });
}
