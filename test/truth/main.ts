import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { liveTestbed } from '../../scripts/testbed-session.ts';
import { type Brokers, directBrokers, testbedBrokers } from './brokers.ts';
import { makePlan } from './plan.ts';
import type { Kind } from './protocol.ts';
import { findTruth } from './rig.ts';
import { delaysReported, errorOf, inventedIn, tableOf, trueMs } from './table.ts';

/**
 * Outages of a known length against what the observer says of them: `npm run test:truth`. By default on the testbed's
 * Kafka; `--bootstrap host:port,…` takes any other whose advertised addresses can be reached from here.
 */
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '220' },
    longest: { type: 'string', default: '10000' },
    step: { type: 'string', default: '5' },
    kinds: { type: 'string', default: 'black-hole,reset' },
    bootstrap: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const brokers = values.bootstrap ? directBrokers(values.bootstrap.split(',')) : await onTestbed();
const plan = makePlan({
  count: Number(values.count),
  longestMs: Number(values.longest),
  kinds: values.kinds.split(',') as Kind[],
});
const stepMs = Number(values.step);
const truth = await findTruth(brokers, {
  plan,
  stepMs,
  onMade: (made) => {
    const error = errorOf(made);
    if (!values.verbose) return;
    const told = error === undefined ? 'not reported' : `error ${error.toFixed(1)} ms`;
    console.error(`${made.planned.kind} of ${trueMs(made).toFixed(1)} ms: ${told}`);
  },
});
const delays = truth.made.filter(({ planned }) => planned.kind === 'delay');
const { unmade, invented } = inventedIn(truth);
console.log(tableOf(truth));
console.log(`
probes every ${stepMs} ms: ${truth.probes.sent}, the latest by ${truth.probes.worstLateMs} ms; CPU of the observer ${(truth.cpuShare * 100).toFixed(1)} % of a core
delays: ${delays.length}, reported as an outage without a pause: ${delaysReported(truth).length}
reported besides: ${unmade}, of these without a pause of leader, proxy or observer: ${invented}
load: ${loadavg()[0]?.toFixed(1)}`);

async function onTestbed(): Promise<Brokers> {
  const testbed = await liveTestbed();
  if (!testbed) process.exit(1);
  Object.assign(process.env, testbed);
  // Its helpers connect when they are loaded, by the environment that has only just been set.
  const { ensureKafka } = await import('../support/kafka.ts');
  const { cluster } = await import('../support/testbed.ts');
  await ensureKafka();
  return await testbedBrokers(cluster);
}
