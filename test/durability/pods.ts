import Table from 'cli-table3';
import { liveTestbed } from '../../scripts/testbed-session.ts';

/**
 * Runs on the testbed whose worker, a pod of the cluster, is taken away three times each: `npm run test:pods`. The broker that is
 * killed is on the worker's node. Prints one row a run; ends with 1 unless each is as it must be.
 */
const testbed = await liveTestbed();
if (!testbed) process.exit(69);
Object.assign(process.env, testbed);
const { ensureKafka, oneKill } = await import('../support/kafka.ts');
const { brokerDeletions, cordon, eventually, leftIn, nodeOf, pendingActivities, runExperiment } =
  await import('../support/testbed.ts');
const { deleteAtOnce, deployWorker, drain, evict, removeWorker, workerPod } = await import(
  '../support/worker-pod.ts'
);

const ways = { 'deleted at once': deleteAtOnce, evicted: evict, drained: drain } as const;
type Way = keyof typeof ways;

/** When a run is disturbed: while an activity is under way, or as soon as so many brokers were killed. */
type Moment = { during: string } | { kills: number };
const runs: [Moment, Way][][] = [
  [
    [{ during: 'startLiveness' }, 'evicted'],
    [{ kills: 1 }, 'drained'],
    [{ during: 'cleanUp' }, 'deleted at once'],
  ],
  [
    [{ during: 'startLiveness' }, 'drained'],
    [{ during: 'prove' }, 'deleted at once'],
    [{ kills: 2 }, 'evicted'],
  ],
  [
    [{ during: 'startLiveness' }, 'deleted at once'],
    [{ kills: 1 }, 'evicted'],
    [{ during: 'closeStream' }, 'drained'],
  ],
  [
    [{ during: 'aim' }, 'deleted at once'],
    [{ kills: 2 }, 'drained'],
    [{ during: 'cleanUp' }, 'evicted'],
  ],
];
const planned = 2;
const broker = 1;
const taskQueue = 'durability-pods';
const folders = ['base', 'target'];

await ensureKafka();
const node = await nodeOf('kafka', `kafka-kafka-${broker}`);
await deployWorker({ taskQueue, folders, node });
const table = new Table({
  head: ['run', 'the worker’s pod', 'verdict', 'brokers killed', 's', 'wrong'],
  style: { head: [], border: [], compact: true },
});
let wrongRuns = 0;
try {
  for (const [index, disturbances] of runs.entries()) wrongRuns += (await play(index, disturbances)) ? 1 : 0;
} finally {
  await cordon(node, false);
  removeWorker(folders);
}
console.log(`${table.toString()}\n\n${runs.length - wrongRuns} of ${runs.length} runs are as they must be`);
process.exit(wrongRuns === 0 ? 0 : 1);

/** One run with its disturbances. True where something is wrong. */
async function play(index: number, disturbances: [Moment, Way][]): Promise<boolean> {
  const since = Date.now();
  const before = await leftIn('kafka');
  const workflowId = `durability-pods-${since}`;
  const killed = () => brokerDeletions(since).filter(({ status }) => status === 200);
  const schedule = { durationSeconds: planned * 40, intervalSeconds: 40 };
  const running = runExperiment({ ...oneKill, target: { broker }, schedule }, { taskQueue, workflowId });
  for (const [moment, way] of disturbances) {
    await eventually(`run ${index + 1}: ${text(moment)}`, 240, async () =>
      'kills' in moment
        ? killed().length >= moment.kills
        : (await pendingActivities(workflowId)).includes(moment.during),
    );
    ways[way](await workerPod());
    // The broker's volume is on the node that takes no pods after a drain.
    await cordon(node, false);
  }
  const { result } = await running;
  const late = result?.kills.filter(({ reason }) => reason?.includes(' late: more than ')).length ?? 0;
  const wrong = [
    ...(result?.verdict === (late > 0 ? 'Inconclusive' : 'Pass')
      ? []
      : [result?.reasons.join('\n') ?? 'no result']),
    ...(killed().length === planned - late ? [] : [`${killed().length} brokers killed`]),
    ...(killed().some(({ pod }) => pod !== `kafka-kafka-${broker}`) ? ['another broker killed'] : []),
    ...(await leftIn('kafka')).filter((name) => !before.includes(name)).map((name) => `left: ${name}`),
  ];
  const told = disturbances.map(([moment, way]) => `${way} ${text(moment)}`).join('\n');
  const seconds = Math.round((Date.now() - since) / 1_000);
  table.push([index + 1, told, result?.verdict ?? '–', killed().length, seconds, wrong.join('\n')]);
  return wrong.length > 0;
}

function text(moment: Moment): string {
  return 'kills' in moment ? `at kill ${moment.kills}` : `during ${moment.during}`;
}
