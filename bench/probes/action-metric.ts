import { eventually, setting } from '../../test/support/testbed.ts';

/**
 * The Temporal server's counter `action` of one namespace, by its type. Series that do not exist yet are absent. Prometheus'
 * labels hold the namespace with `_` for what it does not like.
 */
export async function actionsOf(namespace: string): Promise<Record<string, number>> {
  const response = await fetch(setting('TESTBED_TEMPORAL_METRICS'));
  if (!response.ok) throw new Error(`the metrics of the Temporal server answered HTTP ${response.status}`);
  const label = `namespace="${namespace.replaceAll(/\W/g, '_')}"`;
  const counts: Record<string, number> = {};
  for (const line of (await response.text()).split('\n')) {
    const [, labels = '', value = ''] = /^action(?:_total)?\{(.*)\} (\S+)/.exec(line) ?? [];
    if (!labels.includes(label)) continue;
    const type = /action_type="([^"]+)"/.exec(labels)?.[1] ?? 'unknown';
    counts[type] = (counts[type] ?? 0) + Number(value);
  }
  return counts;
}

function added(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const pairs = Object.entries(after).map(([type, count]) => [type, count - (before[type] ?? 0)] as const);
  return Object.fromEntries(pairs.filter(([, count]) => count > 0));
}

/**
 * What was added since a look, once the server shows as many scheduled activities as the run's history holds: it publishes its
 * counters about a second late, and the last Actions of a run would be missed or counted to the next one.
 */
export function addedSince(
  before: Record<string, number>,
  namespace: string,
  scheduledActivities: number,
): Promise<Record<string, number>> {
  return eventually('the Temporal server has published the Actions of the run', 30, async () => {
    const now = added(before, await actionsOf(namespace));
    return (now.command_ScheduleActivityTask ?? 0) >= scheduledActivities && now;
  });
}
