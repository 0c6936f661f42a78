import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { liveTestbed } from '../../scripts/testbed-session.ts';
import { type Brokers, directBrokers, logOfBroker, testbedBrokers } from './brokers.ts';
import { leaderChanges } from './leader-change.ts';
import { makePlan } from './plan.ts';
import type { Kind } from './protocol.ts';
import { findTruth } from './rig.ts';
import { delaysReported, errorOf, inventedIn, spreadOf, tableOf, trueMs } from './table.ts';

/**
 * Outages of a known length against what the observer says of them: `npm run test:truth`. By default on the testbed's
 * Kafka; `--bootstrap host:port,…` takes any other whose advertised addresses can be reached from here.
 */
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '204' },
    longest: { type: 'string', default: '10000' },
    step: { type: 'string', default: '3' },
    kinds: { type: 'string', default: 'black-hole,reset' },
    bootstrap: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const testbed = values.bootstrap ? undefined : await onTestbed();
const brokers = testbed?.brokers ?? directBrokers((values.bootstrap ?? '').split(','));
const plan = makePlan({
  count: Number(values.count),
  longestMs: Number(values.longest),
  kinds: values.kinds.split(',') as Kind[],
});
const stepMs = Number(values.step);
const truth = await findTruth(brokers, { plan, stepMs, clientsMs: 8_000 });
if (values.verbose) {
  for (const made of truth.made) {
    const error = errorOf(made);
    const told = error === undefined ? 'not reported' : `error ${error.toFixed(1)} ms`;
    console.log(`${made.planned.kind} of ${trueMs(made).toFixed(1)} ms: ${told}`);
  }
}
const delays = truth.made.filter(({ planned }) => planned.kind === 'delay');
const { unmade, invented } = inventedIn(truth);
console.log(tableOf(truth));
console.log(`
probes every ${stepMs} ms: ${truth.probes.sent}, the latest by ${truth.probes.worstLateMs} ms; CPU of the observer ${(truth.cpuShare * 100).toFixed(1)} % of a core
delays: ${delays.length}, reported as an outage without a pause: ${delaysReported(truth).length}
reported besides: ${unmade}, of these without a pause of leader, proxy or observer: ${invented}
load: ${loadavg()[0]?.toFixed(1)}`);

if (testbed) {
  const changes = await leaderChanges(brokers, { moves: 20, logOf: testbed.logOf });
  const lags = changes.flatMap(({ loggedAt, seenAt }) => (seenAt === undefined ? [] : [seenAt - loggedAt]));
  const lag = spreadOf(lags);
  console.log(
    `changes of leader in the brokers' logs: ${changes.length}, seen: ${lags.length}, after p50 ${lag?.p50} ms, p99 ${lag?.p99} ms, max ${lag?.max} ms`,
  );
}

async function onTestbed(): Promise<{ brokers: Brokers; logOf: (broker: number) => Promise<string> }> {
  // A testbed that the environment names already is up.
  const environment = process.env.TESTBED_REGISTRY ? {} : await liveTestbed();
  if (!environment) process.exit(1);
  Object.assign(process.env, environment);
  // Its helpers connect when they are loaded, by the environment that has only just been set.
  const { ensureKafka } = await import('../support/kafka.ts');
  const { cluster } = await import('../support/testbed.ts');
  await ensureKafka();
  return { brokers: await testbedBrokers(cluster), logOf: (broker) => logOfBroker(cluster, broker) };
}
