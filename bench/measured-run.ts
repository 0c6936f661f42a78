import { connectTemporal } from '../src/cli/connect-temporal.ts';
import { readRun } from '../src/cli/history/follow.ts';
import { brokerDeletions, runExperiment, type WorkerProcess } from '../test/support/testbed.ts';
import type { MeasuredRun } from './figure.ts';
import { temporalNamespace } from './own-namespace.ts';
import { actionsOf, addedSince } from './probes/action-metric.ts';
import { requestsOf } from './probes/audit-log.ts';
import { peakMiB } from './probes/process-memory.ts';

/** The experiment of the benchmark: the blog's schedule on a Kafka that is there. */
export const experiment = {
  cluster: { namespace: 'kafka' },
  provision: { mode: 'existing' },
  annotationCheck: false,
  schedule: { durationSeconds: 60, intervalSeconds: 20 },
};

/** One run from its start to its end, with what could be seen of it from outside. */
export async function measuredRun(worker: WorkerProcess, username: string): Promise<MeasuredRun> {
  const from = Date.now();
  const workflowId = `bench-${from}`;
  const before = await actionsOf(temporalNamespace);
  const { code, stderr, result } = await runExperiment(experiment, {
    taskQueue: worker.taskQueue,
    workflowId,
  });
  const to = Date.now();
  const access = await connectTemporal();
  try {
    const events = await readRun(access, { workflowId });
    const activities = events.filter(({ kind }) => kind === 'scheduled').length;
    return {
      ...(result ? { result } : {}),
      stderr,
      exitCode: code,
      events,
      requests: requestsOf(username, from, to),
      deletions: brokerDeletions(from)
        .filter(({ status }) => status === 200)
        .map(({ at }) => at)
        .sort((a, b) => a - b),
      actions: await addedSince(before, temporalNamespace, activities),
      workerPeakMiB: peakMiB(worker.pid),
    };
  } finally {
    await access.connection.close();
  }
}
