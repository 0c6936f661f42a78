import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import Table from 'cli-table3';
import type { JanitorReport } from '../../src/activities/janitor-contract.ts';
import { expiresAnnotation, ownerAnnotation, runLabel } from '../../src/experiment/identity.ts';
import type { ServedCluster } from './cluster/server.ts';
import { type Rig, startRig } from './rig.ts';

/**
 * What is left of many runs of which a quarter is cancelled, a quarter terminated, and of a quarter the worker is killed, each at a
 * moment of its own, when the janitor has been there once: `npm run test:leftovers`, `-- --runs 40 --lanes 4 --seed 7`. Real worker
 * and Temporal server, simulated clusters that keep their own books. Prints one table; ends with 1 where anything is left.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    lanes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});
const total = Number(values.runs);
const lanes = Number(values.lanes);

/** A run that nothing disturbs takes about so long; it is disturbed at any moment of that. ms */
const runMs = 10_000;

/** A step hears that its run is gone with its next heartbeat. ms */
const heartbeatMs = 6_000;

const ways = ['ends by itself', 'cancelled', 'terminated', 'worker killed'] as const;
type Way = (typeof ways)[number];

const experiment = {
  ...{ cluster: { namespace: 'kafka' }, reach: 'direct', liveness: { ratePerSecond: 10 } },
  schedule: { durationSeconds: 1, intervalSeconds: 1, recoveryTimeoutSeconds: 20 },
};

/** Objects that runs made, and those of them that do not tell whose they are and until when. */
const made = { count: 0, unmarked: [] as string[] };

/** What came of the runs of one way. */
interface Tally {
  runs: number;
  statuses: Map<string, number>;
  /** Runs of which something was there right after their end, before anything else came. */
  leaving: number;
}

const tallies = new Map<Way, Tally>(ways.map((way) => [way, { runs: 0, statuses: new Map(), leaving: 0 }]));
const random = randomOf(Number(values.seed));
const plan = Array.from({ length: total }, (_, index) => ({
  way: ways[index % ways.length] as Way,
  at: random() * runMs,
  order: random(),
})).sort((one, other) => one.order - other.order);

const rig = await startRig();
try {
  const startedAt = Date.now();
  const left = await Promise.all(
    Array.from({ length: lanes }, (_, lane) =>
      oneLane(
        rig,
        lane,
        plan.filter((_run, index) => index % lanes === lane),
      ),
    ),
  );
  const temporal = await leftInTemporal(rig);
  print(left, temporal, Math.round((Date.now() - startedAt) / 1_000));
  process.exitCode =
    left.some(({ after }) => after.length > 0) || temporal.length + made.unmarked.length > 0 ? 1 : 0;
} finally {
  await rig.close();
}

/** What one cluster held before and after the janitor. */
interface LaneEnd {
  before: string[];
  after: string[];
  report: JanitorReport;
}

/** Runs one after the other on a cluster of its own, and then one round of the janitor. */
async function oneLane(
  { temporal, cluster: add, worker: start }: Rig,
  lane: number,
  runs: typeof plan,
): Promise<LaneEnd> {
  const taskQueue = `lane-${lane}`;
  const cluster = await add(taskQueue);
  let worker = start(cluster, temporal, taskQueue);
  watchMarks(cluster);
  for (const [index, { way, at }] of runs.entries()) {
    const handle = await temporal.client.workflow.start('kafkaBrokerFailure', {
      ...{ taskQueue, workflowId: `${taskQueue}-${index}`, args: [experiment] },
    });
    if (way !== 'ends by itself') await Promise.race([delay(at), handle.result().catch(() => {})]);
    if (way === 'cancelled') await handle.cancel();
    if (way === 'terminated') await handle.terminate('by the test').catch(() => {});
    if (way === 'worker killed') {
      await worker.kill();
      worker = start(cluster, temporal, taskQueue);
    }
    await handle.result().catch(() => {});
    await note(way, handle, cluster);
  }
  await delay(heartbeatMs);
  const before = cluster.leftovers();
  const report = (await temporal.client.workflow.execute('janitor', {
    ...{ taskQueue, workflowId: `${taskQueue}-janitor`, args: [{ namespaces: ['kafka'] }] },
  })) as JanitorReport;
  await delay(1_000);
  return { before, after: cluster.leftovers(), report };
}

/** Whatever comes that is no broker's pod is of a run's making. */
function watchMarks({ store }: ServedCluster): void {
  store.onChange(({ type, resource, object: { metadata } }) => {
    if (type !== 'ADDED' || metadata?.labels?.app === 'kafka') return;
    made.count++;
    const { labels = {}, annotations = {} } = metadata ?? {};
    if (!labels[runLabel] || !annotations[ownerAnnotation] || !annotations[expiresAnnotation])
      made.unmarked.push(`${resource} ${metadata?.name}`);
  });
}

async function note(way: Way, handle: WorkflowHandle, cluster: ServedCluster): Promise<void> {
  const tally = tallies.get(way);
  if (!tally) return;
  const { status, runId } = await handle.describe();
  tally.runs++;
  tally.statuses.set(status.name, (tally.statuses.get(status.name) ?? 0) + 1);
  if (status.name === 'FAILED') console.error(`${handle.workflowId}, ${way}: ${await reasonOf(handle)}`);
  // What a terminated run before it left does not count here.
  const objects = cluster.store.all().filter(({ resource }) => resource !== 'events');
  const own = objects.some(({ object }) => object.metadata?.labels?.[runLabel] === runId);
  if (own || cluster.leftovers().some((one) => one.includes(runId))) tally.leaving++;
}

async function reasonOf(handle: WorkflowHandle): Promise<string> {
  return await handle.result().then(
    () => '',
    (error: Error) => (error.cause as Error | undefined)?.message ?? error.message,
  );
}

/** Workflows that go on, and schedules. Visibility is a moment behind. */
async function leftInTemporal({ temporal: { client } }: Rig): Promise<string[]> {
  for (let looks = 0; ; looks++) {
    const left: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query: 'ExecutionStatus = "Running"' }))
      left.push(`workflow ${workflowId}`);
    for await (const { scheduleId } of client.schedule.list()) left.push(`schedule ${scheduleId}`);
    if (left.length === 0 || looks === 10) return left;
    await delay(1_000);
  }
}

function print(ends: LaneEnd[], temporal: string[], seconds: number): void {
  const table = new Table({
    head: ['runs', 'way', 'how Temporal says they ended', 'had left something'],
    style: { head: [], border: [] },
  });
  for (const [way, { runs, statuses, leaving }] of tallies) {
    const said = [...statuses].map(([status, count]) => `${count} ${status.toLowerCase()}`).join(', ');
    table.push([String(runs), way, said, String(leaving)]);
  }
  console.log(table.toString());
  const before = ends.flatMap((end) => end.before);
  const after = ends.flatMap((end) => end.after);
  const removed = ends.flatMap(({ report }) => report.runs.flatMap(({ done }) => done));
  console.log(`${total} runs on ${lanes} clusters in ${seconds} s, seed ${values.seed}`);
  console.log(`objects made: ${made.count}, without run id, owner and expiry: ${made.unmarked.length}`);
  console.log(
    `before the janitor: ${before.length} objects, annotations, topics, groups; it did: ${removed.length} undos`,
  );
  console.log(`left after one round: ${after.length} in the clusters, ${temporal.length} in Temporal`);
  for (const one of [...made.unmarked, ...after, ...temporal]) console.log(`  ${one}`);
}

/** Numbers from 0 to 1 that are the same again for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
