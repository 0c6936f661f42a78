import type { Client } from '@temporalio/client';
import { expect, vi } from 'vitest';
import { criticalSuffix, watchSuffix } from '../../src/activities/contract.ts';

/**
 * What new runs begin on, as `temporal worker deployment set-current-version` has it, once the build's workers poll all their queues: a
 * server refuses one that lacks a queue that the current build has.
 */
export async function setCurrent(
  client: Client,
  deploymentName: string,
  buildId: string,
  taskQueue: string,
): Promise<void> {
  const { workflowService } = client;
  const { namespace } = client.options;
  const deploymentVersion = { deploymentName, buildId };
  const queues = ['', criticalSuffix, watchSuffix].map((suffix) => `${taskQueue}${suffix}`);
  await vi.waitFor(
    async () => {
      const { versionTaskQueues } = await workflowService.describeWorkerDeploymentVersion({
        ...{ namespace, deploymentVersion },
      });
      expect(new Set(versionTaskQueues?.map(({ name }) => name))).toEqual(new Set(queues));
    },
    { timeout: 60_000, interval: 200 },
  );
  await workflowService.setWorkerDeploymentCurrentVersion({ namespace, deploymentName, buildId });
}

/** Who carried a run out, each named once and in order: the versions of its workflow tasks, and the processes of its activities. Of the newest history where no run id is given. */
export async function buildsOf(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<{ workflowTasks: string[]; activities: string[] }> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const workflowTasks = (events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: done }) => {
    const { deploymentName, buildId } = done?.deploymentVersion ?? {};
    return done ? [`${behaviors[done.versioningBehavior ?? 0]} ${deploymentName}:${buildId}`] : [];
  });
  const activities = (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started ? [started.identity ?? ''] : [],
  );
  return { workflowTasks: [...new Set(workflowTasks)], activities: [...new Set(activities)] };
}

/** By temporal.api.enums.v1.VersioningBehavior. */
const behaviors = ['UNSPECIFIED', 'PINNED', 'AUTO_UPGRADE'];
