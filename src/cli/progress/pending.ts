import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import {
  criticalActivities,
  criticalSuffix,
  type Progress,
  watchActivities,
  watchSuffix,
} from '../../activities/contract.ts';
import type { Problem } from '../../experiment/errors.ts';
import { problemOfFailure } from '../../workflows/failure.ts';

/** Something that the run waits for now. Times in epoch ms. */
export interface Pending {
  /** `workflow` for the workflow's own task. */
  activity: string;
  attempt: number;
  taken: boolean;
  /** Since when it waits for a worker; absent where one has it. */
  waitingSince?: number;
  taskQueue: string;
  lastFailure?: Problem;
  lines: string[];
}

/** Of activities that the main queue does not carry out. */
const suffixes: ReadonlyMap<string, string> = new Map([
  ...criticalActivities.map((name) => [name, criticalSuffix] as const),
  ...watchActivities.map((name) => [name, watchSuffix] as const),
]);

/** PendingActivityState STARTED, CANCEL_REQUESTED; PendingWorkflowTaskState STARTED. */
const takenActivity = new Set([2, 3]);
const takenTask = 2;

/** What a run waits for, out of a describe. */
export async function pendingOf(client: Client, described: WorkflowExecutionDescription): Promise<Pending[]> {
  const converter = client.options.loadedDataConverter;
  const { raw, taskQueue } = described;
  const found: Pending[] = [];
  for (const one of raw.pendingActivities ?? []) {
    const activity = one.activityType?.name ?? 'unknown';
    const taken = takenActivity.has(Number(one.state));
    const [details] = await decodeArrayFromPayloads(converter, one.heartbeatDetails?.payloads);
    const failure = await decodeOptionalFailureToOptionalError(converter, one.lastFailure);
    found.push({
      activity,
      attempt: one.attempt ?? 1,
      taken,
      ...(taken ? {} : { waitingSince: epochMs(one.scheduledTime) }),
      taskQueue: `${taskQueue}${suffixes.get(activity) ?? ''}`,
      ...(failure ? { lastFailure: problemOfFailure(failure) } : {}),
      lines: (details as Progress | undefined)?.lines ?? [],
    });
  }
  const task = raw.pendingWorkflowTask;
  if (task && Number(task.state) !== takenTask) {
    const waitingSince = epochMs(task.originalScheduledTime ?? task.scheduledTime);
    found.push({
      activity: 'workflow',
      attempt: task.attempt ?? 1,
      taken: false,
      waitingSince,
      taskQueue,
      lines: [],
    });
  }
  return found;
}

function epochMs(stamp: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(stamp?.seconds ?? 0) * 1_000 + Math.floor((stamp?.nanos ?? 0) / 1e6);
}
