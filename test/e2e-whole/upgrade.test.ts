import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { deployRoles } from '../support/rights.ts';
import { brokerDeletions, eventually, runExperiment, temporalClient } from '../support/testbed.ts';
import { buildsOf, setCurrent } from '../support/versions.ts';
import { anotherImage, deployAccount, deployBuild, firstTag, removeBuild } from '../support/worker-builds.ts';

const taskQueue = 'e2e-upgrade';
const folders = ['target', 'nodes'];
// New at each time: the server remembers builds.
const stamp = Date.now();
const [one, two] = [`one-${stamp}`, `two-${stamp}`];
const deployment = 'leaderfall';

beforeAll(async () => {
  await ensureKafka();
  deployAccount(folders);
});

afterAll(() => {
  for (const build of [one, two]) removeBuild(build);
  deployRoles('delete', folders);
});

test('a run in whose middle another image’s Deployment becomes current ends on its own; the next run has the new one', async () => {
  const client = await temporalClient();
  const killed = () => brokerDeletions(stamp).filter(({ status }) => status === 200);
  deployBuild(one, firstTag(), taskQueue);
  await setCurrent(client, deployment, one, taskQueue);
  const schedule = { durationSeconds: 120, intervalSeconds: 60 };
  const first = `e2e-upgrade-first-${stamp}`;
  const running = runExperiment({ ...oneKill, schedule }, { taskQueue, workflowId: first });
  await eventually('the first kill', 180, () => killed().length === 1);
  deployBuild(two, anotherImage(), taskQueue);
  await setCurrent(client, deployment, two, taskQueue);
  expect(killed()).toHaveLength(1);

  const ended = await running;
  expect(ended.result?.verdict, `${ended.result?.reasons.join('\n')}\n${ended.stderr.slice(-3_000)}`).toBe(
    'Pass',
  );
  expect(killed()).toHaveLength(2);
  await expectCarriedOutBy(first, one);
  removeBuild(one);

  const second = `e2e-upgrade-second-${stamp}`;
  const { result, stderr } = await runExperiment(oneKill, { taskQueue, workflowId: second });
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
  await expectCarriedOutBy(second, two);
  if (result) await expectNothingLeft(result.run);
});

/** Every workflow task by that version, every step by a pod of its Deployment. */
async function expectCarriedOutBy(workflowId: string, build: string): Promise<void> {
  const { workflowTasks, activities } = await buildsOf(await temporalClient(), workflowId);
  expect(workflowTasks).toEqual([`PINNED ${deployment}:${build}`]);
  expect(activities).toEqual([expect.stringMatching(`^1@leaderfall-worker-${build}-`)]);
}
