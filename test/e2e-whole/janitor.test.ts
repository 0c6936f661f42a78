import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JanitorReport } from '../../src/activities/janitor-contract.ts';
import { ensureKafka, oneKill, streamsLeft } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { grant, startRoleWorker } from '../support/rights.ts';
import {
  cluster,
  ensureNamespace,
  eventually,
  leaderfall,
  leftIn,
  pendingActivities,
  runExperiment,
  temporalClient,
  type WorkerProcess,
} from '../support/testbed.ts';

/** Terminated runs, which clean nothing up, and one round of the janitor. */
const taskQueue = 'e2e-janitor';
const ownNamespace = 'kafka-left';
let worker: WorkerProcess;

beforeAll(async () => {
  await ensureKafka();
  await ensureNamespace(ownNamespace);
  grant(ownNamespace, ['target', 'kudo']);
  worker = await startRoleWorker(taskQueue, ['target']);
});

afterAll(() => worker.stop());

/** Starts a run, terminates it when `moment` has come, and gives its run id. */
async function terminated(
  workflowId: string,
  experiment: object,
  moment: () => Promise<unknown>,
): Promise<string> {
  const client = await temporalClient();
  const running = runExperiment(experiment, { taskQueue, workflowId });
  await moment();
  const handle = client.workflow.getHandle(workflowId);
  await handle.terminate('by the test');
  await running;
  return (await handle.describe()).runId;
}

/** What one round says of a run. */
async function janitorOnce(namespace: string, runId: string) {
  const args = ['janitor', '--once', '-n', namespace, '--json', '--task-queue', taskQueue];
  const { code, stdout, stderr } = await leaderfall(args);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  return (JSON.parse(stdout) as JanitorReport).runs.find(({ run }) => run.endsWith(runId));
}

test('a run that was terminated while it installed its Kafka: operators, instances and volumes are removed', async () => {
  const workflowId = `e2e-left-provision-${Date.now()}`;
  const experiment = { ...oneKill, cluster: { namespace: ownNamespace }, provision: { mode: 'kudo' } };
  const zookeeper = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'zookeeper-instance-zookeeper' };
  const runId = await terminated(workflowId, experiment, () =>
    eventually('its ZooKeeper is being made', 180, () =>
      cluster.read({ ...zookeeper, namespace: ownNamespace }),
    ),
  );
  const left = await leftIn(ownNamespace);
  expect(left).toEqual(
    expect.arrayContaining(['StatefulSet zookeeper-instance-zookeeper', 'Instance zookeeper-instance']),
  );

  expect(await janitorOnce(ownNamespace, runId)).toMatchObject({ state: 'ended', leftovers: [] });
  expect(await leftIn(ownNamespace)).toEqual([]);
});

test('a run that was terminated in the middle of a kill: pod, claim, annotations, topic and groups are removed', async () => {
  const workflowId = `e2e-left-kill-${Date.now()}`;
  const runId = await terminated(workflowId, oneKill, () =>
    eventually('its kill is under way', 180, async () =>
      (await pendingActivities(workflowId)).includes('kill'),
    ),
  );
  const own = { label: `leaderfall.io/run-id=${runId}` };
  expect(await leftIn('kafka', own)).toEqual(['Pod kafka-liveness', 'Lease leaderfall-kafka-kafka']);

  const run = { temporalNamespace: 'default', workflowId, runId };
  // A round leaves the claim for the next one while a broker that comes back cannot tell its groups.
  expect(await streamsLeft(run)).toHaveLength(2);

  expect(await janitorOnce('kafka', runId)).toMatchObject({ state: 'ended', leftovers: [] });
  await expectNothingLeft(run);
});
