import { afterAll, beforeAll } from 'vitest';
import { ensureKafka } from './kafka.ts';
import { startRoleWorker } from './rights.ts';
import type { WorkerProcess } from './testbed.ts';

/** For all tests of a file: the shared Kafka, and a worker with just the rights of these folders below deploy/kustomize. */
export function haveRoleWorker(
  taskQueue: string,
  folders = ['target'],
  env: Record<string, string> = {},
): void {
  let worker: WorkerProcess;
  beforeAll(async () => {
    await ensureKafka();
    worker = await startRoleWorker(taskQueue, folders, env);
  });
  afterAll(async () => {
    await worker.stop();
  });
}
