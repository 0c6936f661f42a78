import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { environmentSteps } from '../workflow/promotion-support.ts';
import { realClock, startStoryWorker } from './story-worker.ts';

test('a promotion workflow of somebody else takes one experiment as one step', async () => {
  const taskQueue = `own-workflow-${Date.now()}`;
  const staging = `${taskQueue}-staging`;
  const kills = { name: 'kills', cluster: { namespace: 'kafka' } };
  const fails = new Set<string>();
  const inputs: unknown[] = [];
  const connection = await NativeConnection.connect({
    address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233',
  });
  const client = new Client({ connection });
  const environment = await startStoryWorker(
    staging,
    environmentSteps(realClock, 'staging', { fails, inputs }),
  );
  const foreign = await Worker.create({
    ...{ connection, taskQueue },
    workflowBundle: await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('../../examples/promotion/own-workflow.ts', import.meta.url)),
      logger: new DefaultLogger('ERROR'),
    }),
  });
  const step = (workflowId: string) =>
    client.workflow.execute('ownPromotion', {
      workflowId: `${taskQueue}-${workflowId}`,
      taskQueue,
      args: ['orders@sha256:1', staging, kills],
    });
  try {
    await foreign.runUntil(async () => {
      expect(await step('passes')).toBe('orders@sha256:1 may go on');
      expect(inputs).toEqual([kills]);
      fails.add('kills');
      await expect(step('fails')).rejects.toMatchObject({ cause: { type: 'Fail' } });
    });
  } finally {
    await environment.stop();
    await connection.close();
  }
});
