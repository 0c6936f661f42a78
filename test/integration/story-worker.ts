import type { WorkerDeploymentVersion } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import type { Activities, PromotionActivities } from '../../src/activities/contract.ts';
import { makeWorkers } from '../../src/worker/make-workers.ts';
import { workflowFile } from '../support/build.ts';

/** Each queue must have some activity. */
const unused = async (): Promise<never> => {
  throw new Error('this worker does not do that');
};

/**
 * The real workflow on the real workers and a real server, by default that of TEMPORAL_ADDRESS, with steps that only say what real
 * ones would.
 */
export async function startStoryWorker(
  taskQueue: string,
  activities: Partial<Activities & PromotionActivities>,
  address = process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233',
  runsAtOnce = 100,
  version?: WorkerDeploymentVersion,
): Promise<{ stop(): Promise<void> }> {
  const connection = await NativeConnection.connect({ address });
  const workers = await makeWorkers({
    ...{ connection, taskQueue, runsAtOnce, version, namespace: 'default' },
    workflowBundle: workflowFile,
    activities: { ...{ provision: unused, record: unused, watchSlo: unused }, ...activities } as Activities &
      PromotionActivities,
  });
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    stop: async () => {
      for (const worker of workers) worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

/** For stories of short intervals: on a loaded machine a step may wait for longer than the half of one. */
export const neverLate = { late: { runIfWithinSeconds: 60 } };

/** The clock that stories on a real server go by. */
export const realClock = { currentTimeMs: async () => Date.now() };
