import { connectTemporal } from '../../src/cli/connect-temporal.ts';
import { readHistories } from '../../src/cli/history/follow.ts';
import { totalOf } from '../../src/experiment/billed-actions.ts';
import { ensureKafka } from '../../test/support/kafka.ts';
import { eventually, experimentFile, leaderfall, startWorker } from '../../test/support/testbed.ts';
import { experiment } from '../measured-run.ts';
import { ensureNamespace, temporalNamespace } from '../own-namespace.ts';
import { actionsOf, addedSince } from '../probes/action-metric.ts';

/** Three kills in ten minutes. */
const tenMinutes = { ...experiment, schedule: { durationSeconds: 600, intervalSeconds: 200 } };

/** Actions that such a run may cost. */
const aim = 40;

/**
 * `npm run bench -- --schedule`: what a scheduled run of ten minutes costs on Temporal Cloud: the Actions that its history tells, and its
 * heartbeats by the server's own `action` counter, which counts what the server does for the schedule itself too. Gives the exit code:
 * 1 where the run did not pass or cost more than the aim.
 */
export async function benchSchedule(): Promise<number> {
  await ensureKafka();
  const setUp = await connectTemporal();
  await ensureNamespace(setUp).finally(() => setUp.connection.close());
  process.env.TEMPORAL_NAMESPACE = temporalNamespace;
  const name = `bench-schedule-${Date.now()}`;
  const taskQueue = 'bench-schedule';
  const access = await connectTemporal();
  const worker = await startWorker(taskQueue);
  try {
    const when = { cron: ['0 3 1 1 *'] };
    const file = experimentFile({ name, taskQueue, when, experiment: tenMinutes });
    await must(['schedule', 'create', '-f', file]);
    const schedule = access.client.schedule.getHandle(name);
    const before = await actionsOf(temporalNamespace);
    await must(['schedule', 'trigger', name]);
    const workflowId = await eventually('the run is started', 60, async () => {
      const { recentActions } = (await schedule.describe()).info;
      return recentActions.at(-1)?.action.workflow.workflowId;
    });
    const result = await access.client.workflow.getHandle(workflowId).result();
    const { events, actions } = await readHistories(access, { workflowId });
    const steps = events.filter(({ kind }) => kind === 'scheduled').length;
    const counted = await addedSince(before, temporalNamespace, steps);
    const heartbeats = counted.grpc_RecordActivityTaskHeartbeat ?? 0;
    const total = totalOf(actions) + heartbeats;
    console.log(
      `${result.verdict}; ${total} Actions, aim ${aim}: ${JSON.stringify({ ...actions, heartbeats })}`,
    );
    console.log(`counted by the server, schedule and this command included: ${JSON.stringify(counted)}`);
    return result.verdict === 'Pass' && total <= aim ? 0 : 1;
  } finally {
    const { code, stderr } = await leaderfall(['schedule', 'delete', name]);
    if (code !== 0) console.error(stderr);
    await worker.stop();
    await access.connection.close();
  }
}

/** Throws with what the command printed where it fails. */
async function must(args: string[]): Promise<void> {
  const { code, stderr } = await leaderfall(args);
  if (code !== 0) throw new Error(`leaderfall ${args.join(' ')} ended with ${code}: ${stderr}`);
}
