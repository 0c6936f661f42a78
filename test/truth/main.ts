import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { liveTestbed } from '../../scripts/testbed-session.ts';
import { type Brokers, directBrokers, logOfBroker, testbedBrokers } from './brokers.ts';
import { leaderChanges } from './leader-change.ts';
import { makePlan } from './plan.ts';
import type { Kind } from './protocol.ts';
import { findTruth } from './rig.ts';
import { changesText, errorOf, factsOf, tableOf, trueMs, wrongIn } from './table.ts';

/**
 * Outages of a known length against what the observer says of them: `npm run test:truth`. By default on the testbed's
 * Kafka; `--bootstrap host:port,…` takes any other whose advertised addresses can be reached from here. Ends with 1 where
 * an outage was not seen once, one was invented or delay was called one, though nothing paused.
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
// A run lets its stream flow before the first kill: by then every program is compiled.
const truth = await findTruth(brokers, { plan, stepMs, clientsMs: 8_000, warmMs: 8_000 });
if (values.verbose) {
  for (const made of truth.made) {
    const error = errorOf(made);
    const told = error === undefined ? 'not reported' : `error ${error.toFixed(1)} ms`;
    console.log(`${made.planned.kind} of ${trueMs(made).toFixed(1)} ms: ${told}`);
  }
}
const changes = testbed ? await leaderChanges(brokers, { moves: 20, logOf: testbed.logOf }) : [];
console.log(`${tableOf(truth)}\n\n${factsOf(truth, stepMs)}\n${changesText(changes)}\nload ${loadText()}`);
const folder = fileURLToPath(new URL('../../bench/results/', import.meta.url));
mkdirSync(folder, { recursive: true });
const file = join(folder, `${new Date().toISOString().replaceAll(':', '-')}-truth.json`);
writeFileSync(file, `${JSON.stringify({ load: loadText(), stepMs, ...truth, changes }, undefined, 2)}\n`);
console.log(`\n${file}`);
const { missed, invented, delays } = wrongIn(truth);
process.exitCode = missed + invented + delays === 0 ? 0 : 1;

function loadText(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(' ');
}

async function onTestbed(): Promise<{ brokers: Brokers; logOf: (broker: number) => Promise<string> }> {
  // A testbed that the environment names already is up.
  const environment = process.env.TESTBED_REGISTRY ? {} : await liveTestbed();
  if (!environment) process.exit(1);
  Object.assign(process.env, environment);
  // Its helpers connect when they are loaded, by the environment that has only just been set.
  const { ensureKafka, untilBrokers } = await import('../support/kafka.ts');
  const { cluster } = await import('../support/testbed.ts');
  await ensureKafka();
  // Pods are ready before Kafka lists them.
  await untilBrokers(3);
  return { brokers: await testbedBrokers(cluster), logOf: (broker) => logOfBroker(cluster, broker) };
}
