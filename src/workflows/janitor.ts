import { ActivityCancellationType, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { JanitorActivities, JanitorReport, JanitorRequest } from '../activities/janitor-contract.ts';

const { sweep } = proxyActivities<JanitorActivities>({
  startToCloseTimeout: '30m',
  scheduleToCloseTimeout: '1h',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  summary: 'remove what ended runs left behind',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** One round of the janitor. It asks Temporal and the cluster, not histories, so that it also finds what terminated runs left. */
export async function janitor(request: JanitorRequest = {}): Promise<JanitorReport> {
  const report = await sweep(request);
  const ended = report.runs.filter(({ state }) => state === 'ended');
  const left = ended.filter(({ leftovers }) => leftovers.length > 0);
  setCurrentDetails(
    `${ended.length} ended runs had left something${left.length > 0 ? `; of ${left.length} something is still there` : ''}`,
  );
  return report;
}
