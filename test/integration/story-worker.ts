import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import type { Activities } from '../../src/activities/contract.ts';

/** The real workflow on a real server, by default that of TEMPORAL_ADDRESS, with steps that only say what real ones would. */
export async function startStoryWorker(
  taskQueue: string,
  activities: Activities,
  address = process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233',
): Promise<{ stop(): Promise<void> }> {
  const connection = await NativeConnection.connect({ address });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/all-workflows.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  const main = await Worker.create({ connection, taskQueue, workflowBundle, activities });
  const critical = await Worker.create({ connection, taskQueue: `${taskQueue}-critical`, activities });
  const running = Promise.all([main.run(), critical.run()]);
  return {
    stop: async () => {
      main.shutdown();
      critical.shutdown();
      await running;
      await connection.close();
    },
  };
}

/** The clock that stories on a real server go by. */
export const realClock = { currentTimeMs: async () => Date.now() };
