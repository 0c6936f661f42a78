import { afterAll, beforeAll, expect } from 'vitest';
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
    const told = Date.now();
    await worker.stop();
    // It carries no run any more; what it holds open, it would give up after half a minute.
    expect(Date.now() - told, 'ms until the worker had ended').toBeLessThan(20_000);
  });
}
