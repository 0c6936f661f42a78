import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { workerFindings } from '../../src/cli/doctor/temporal-findings.ts';
import { killBudgetId } from '../../src/experiment/kill-budget.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { experiment } from '../durability/cell.ts';
import type { ServedCluster } from '../durability/cluster/server.ts';
import { type Rig, startRig } from '../durability/rig.ts';
import { buildsOf, setCurrent } from '../support/versions.ts';

/** Two builds of the worker as processes of their own on a real Temporal server; the cluster is simulated. */
const taskQueue = 'upgrade';
let rig: Rig;
let cluster: ServedCluster;

beforeAll(async () => {
  rig = await startRig();
  cluster = await rig.cluster(taskQueue);
});

afterAll(() => rig.close());

function build(id: string) {
  return rig.worker(cluster, rig.temporal, taskQueue, {
    env: {
      TEMPORAL_DEPLOYMENT_NAME: 'leaderfall',
      TEMPORAL_WORKER_BUILD_ID: id,
      LEADERFALL_MAX_KILLS_PER_HOUR: '100',
    },
  });
}

const oneKill = { ...experiment, schedule: { ...experiment.schedule, durationSeconds: 20 } };

const start = (workflowId: string, input: object) =>
  rig.temporal.client.workflow.start<(input: unknown) => Promise<ChaosResult>>('kafkaBrokerFailure', {
    ...{ taskQueue, workflowId, args: [input] },
  });

test('a run that is under way when another build becomes current ends on its own build, every step of it; the next run has the new one', async () => {
  const { client } = rig.temporal;
  const one = build('one');
  const builds = async () => {
    const access = { client, connection: rig.temporal.connection, address: '', namespace: 'default' };
    return (await workerFindings(access, taskQueue)).filter(({ about }) => about === 'build');
  };
  await vi.waitFor(async () => expect(await builds()).toHaveLength(1), { timeout: 60_000, interval: 200 });
  expect(await builds()).toMatchObject([
    {
      state: 'warning',
      text: 'new runs go to unversioned workers, and there are only: build one of deployment leaderfall',
    },
  ]);
  await setCurrent(client, 'leaderfall', 'one', taskQueue);
  expect(await builds()).toMatchObject([
    { state: 'ok', text: 'new runs go to build one of deployment leaderfall' },
  ]);
  const first = await start('first', experiment);
  await vi.waitFor(() => expect(cluster.deaths).toHaveLength(1), { timeout: 120_000, interval: 100 });

  const two = build('two');
  await setCurrent(client, 'leaderfall', 'two', taskQueue);
  expect(await first.result()).toMatchObject({ verdict: 'Pass', leftovers: [] });
  expect(await buildsOf(client, 'first')).toEqual({
    workflowTasks: ['PINNED leaderfall:one'],
    activities: [`${one.pid}@${hostname()}`],
  });

  const second = await start('second', oneKill);
  expect(await second.result()).toMatchObject({ verdict: 'Pass', leftovers: [] });
  expect(await buildsOf(client, 'second')).toEqual({
    workflowTasks: ['PINNED leaderfall:two'],
    activities: [`${two.pid}@${hostname()}`],
  });
  // What outlives runs goes along, or the old build could never be taken away.
  const budget = await buildsOf(client, killBudgetId);
  expect(budget.workflowTasks).toEqual(['AUTO_UPGRADE leaderfall:one', 'AUTO_UPGRADE leaderfall:two']);
}, 360_000);
