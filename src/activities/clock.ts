import { problem } from '../experiment/errors.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';

/** The API server tells its time in whole seconds; a kill is late, or waits for nothing, by about what is more. ms */
const mostSkewMs = 5_000;

/**
 * Throws CLOCK_SKEWED where this machine's clock is not the cluster's: kills have deadlines, which Temporal's clock reaches and the
 * worker's judges, so that with a wrong one no kill would be on time. Touches nothing.
 */
export async function checkClock(kubernetes: KubernetesPort): Promise<void> {
  const { aheadMs = 0 } = await kubernetes.version();
  if (Math.abs(aheadMs) <= mostSkewMs) return;
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  const side = aheadMs > 0 ? 'ahead of' : 'behind';
  throw problem('CLOCK_SKEWED', `the clock here is ${seconds} s ${side} the API server's`, {
    evidence: [`${new Date().toISOString()} here, ${new Date(Date.now() - aheadMs).toISOString()} there`],
    next: 'Set both clocks by NTP; `timedatectl status` tells whether they are.',
  });
}
