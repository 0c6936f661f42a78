import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Witness, witness } from '../support/deaths.ts';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { startRoleWorker } from '../support/rights.ts';
import { eventually, leftIn, runExperiment, temporalClient, type WorkerProcess } from '../support/testbed.ts';

/** The worker dies beside a helper pod that is to kill a process, which goes on without it. */
const taskQueue = 'e2e-crash-dies';
let worker: WorkerProcess;

async function startWorker(): Promise<void> {
  worker = await startRoleWorker(taskQueue, ['target', 'crash'], { LEADERFALL_ALLOW_FAULTS: 'crash' });
}

beforeAll(async () => {
  await ensureKafka();
  await startWorker();
});

afterAll(() => worker.stop());

const crashes = (seen: Witness) => seen.ends().filter(({ exitCode }) => exitCode === 137);

/** Processes of the workers that proved the kills of a run, by its history. */
async function proversOf(workflowId: string): Promise<number[]> {
  const { events } = await (await temporalClient()).workflow.getHandle(workflowId).fetchHistory();
  const proofs = (events ?? [])
    .filter(({ activityTaskScheduledEventAttributes: step }) => step?.activityType?.name === 'prove')
    .map(({ eventId }) => String(eventId));
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    proofs.includes(String(started?.scheduledEventId)) ? [Number(started?.identity?.split('@')[0])] : [],
  );
}

test.each<[string, (seen: Witness) => boolean, number]>([
  ['before its helper pod has killed', (seen) => seen.crashPods().length === 1, 0],
  ['when the process is dead, and not yet proven so', (seen) => crashes(seen).length === 1, 1],
])(
  'a worker killed %s: one crash, looked into by its successor, nothing left',
  async (_, isMoment, crashed) => {
    const seen = await witness();
    const workflowId = `e2e-crash-dies-${Date.now()}`;
    try {
      const schedule = { durationSeconds: 60, intervalSeconds: 60 };
      const running = runExperiment(
        { ...oneKill, schedule, fault: { kind: 'crash', privileged: true } },
        { taskQueue, workflowId },
      );
      await eventually('the moment has come', 180, () => isMoment(seen));
      await worker.crash();
      expect(crashes(seen)).toHaveLength(crashed);
      await startWorker();

      const { result, stderr } = await running;
      const [kill] = result?.kills ?? [];
      // The new process may have ended as well until a successor looks: of a container's ends its pod tells the last one only.
      const unseen = crashed === 1 && kill?.reason === 'how it ended was not seen';
      const verdict = unseen ? 'Inconclusive' : 'Pass';
      expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe(verdict);
      expect(crashes(seen)).toHaveLength(1);
      expect(await proversOf(workflowId)).toEqual([worker.pid]);
      expect(result?.kills).toHaveLength(1);
      if (!unseen)
        expect(kill).toMatchObject({ status: 'proven', proof: { death: 'crashed', exitCode: 137 } });
      if (result) await expectNothingLeft(result.run);
      const own = { label: `leaderfall.io/run-id=${result?.run.runId}` };
      expect(await leftIn('leaderfall-crash', own)).toEqual([]);
    } finally {
      await seen.stop();
    }
  },
);
