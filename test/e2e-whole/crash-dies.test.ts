import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Witness, witness } from '../support/deaths.ts';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import { kubectl } from '../support/kubectl.ts';
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

/** Ends the process that came after the crash, until its pod tells of that end and of the crash no more; a watch that goes back may still. */
async function endNextLife(seen: Witness): Promise<void> {
  const [crash] = crashes(seen);
  const signal = ['exec', '-n', 'kafka', `kafka-kafka-${crash?.broker}`, '-c', 'k8skafka', '--', 'kill', '1'];
  await eventually('the next life has ended as well', 60, () => {
    if (seen.ends().length > 1) return true;
    try {
      // The first process of a container hears no signal before it has a handler for it.
      kubectl(signal);
    } catch {
      // Between two lives there is no container.
    }
    return false;
  });
}

type Moment = {
  is: (seen: Witness) => boolean;
  crashed: number;
  beforeSuccessor?: (seen: Witness) => Promise<void>;
};

test.each<[string, Moment]>([
  ['before its helper pod has killed', { is: (seen) => seen.crashPods().length === 1, crashed: 0 }],
  [
    'when the process is dead, and not yet proven so',
    { is: (seen) => crashes(seen).length === 1, crashed: 1 },
  ],
  [
    'then, and the pod tells of the next life’s end only',
    { is: (seen) => crashes(seen).length === 1, crashed: 1, beforeSuccessor: endNextLife },
  ],
])(
  'a worker killed %s: one crash, looked into by its successor, nothing left',
  async (_, { is, crashed, beforeSuccessor }) => {
    const seen = await witness();
    const workflowId = `e2e-crash-dies-${Date.now()}`;
    try {
      const schedule = { durationSeconds: 60, intervalSeconds: 60 };
      const running = runExperiment(
        { ...oneKill, schedule, fault: { kind: 'crash', privileged: true } },
        { taskQueue, workflowId },
      );
      await eventually('the moment has come', 180, () => is(seen));
      await worker.crash();
      expect(crashes(seen)).toHaveLength(crashed);
      await beforeSuccessor?.(seen);
      await startWorker();

      const { result, stderr } = await running;
      const [kill] = result?.kills ?? [];
      expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
      expect(crashes(seen)).toHaveLength(1);
      expect(await proversOf(workflowId)).toEqual([worker.pid]);
      expect(result?.kills).toHaveLength(1);
      const act = { outcome: 'killed', endedAfterMs: expect.any(Number) };
      expect(kill).toMatchObject({ status: 'proven', act, proof: { death: 'crashed' } });
      if (result) await expectNothingLeft(result.run);
      const own = { label: `leaderfall.io/run-id=${result?.run.runId}` };
      expect(await leftIn('leaderfall-crash', own)).toEqual([]);
    } finally {
      await seen.stop();
    }
  },
);
