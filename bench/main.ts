import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { liveTestbed } from '../scripts/testbed-session.ts';
import { makeReport, markdownOf, tableOf } from './report.ts';

/**
 * Figures of a real run on the testbed, then the stream beside kafkajs alone: `npm run bench`. Prints a table of each and keeps
 * everything in bench/results/<date>.json. `-- --repeat 20` has so many runs in a row and leaves the stream out; `-- --stream` measures
 * nothing else, with `--partitions N` in so many. `-- --truth` measures the observer, as `npm run test:truth` does, `-- --stop` how soon 50 runs stop,
 * `-- --load N` how many runs one worker carries, with `--store postgresql` on another store than SQLite,
 * `-- --schedule` what a scheduled run of ten minutes costs. Ends with 1 where a run had no verdict or a false one; a figure that misses its aim is only shown.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    repeat: { type: 'string' },
    markdown: { type: 'boolean', default: false },
    truth: { type: 'boolean', default: false },
    stream: { type: 'boolean', default: false },
    partitions: { type: 'string', default: '1' },
    stop: { type: 'boolean', default: false },
    load: { type: 'string' },
    room: { type: 'string' },
    workers: { type: 'string' },
    store: { type: 'string' },
    duration: { type: 'string' },
    within: { type: 'string' },
    node: { type: 'string' },
    profile: { type: 'string' },
    schedule: { type: 'boolean', default: false },
  },
});
const times = Number(values.repeat ?? 1);
if (!Number.isInteger(times) || times < 1) {
  console.error(`--repeat takes a number of runs, not ${values.repeat}`);
  process.exit(64);
}
for (const name of ['load', 'room', 'workers', 'duration', 'within', 'partitions'] as const) {
  const value = values[name];
  if (value !== undefined && !(Number(value) > 0)) {
    console.error(`--${name} takes a number above 0, not ${value}`);
    process.exit(64);
  }
}
if (values.stop) {
  const { benchStop } = await import('./stop/bench-stop.ts');
  process.exit(await benchStop());
}
if (values.load !== undefined) {
  const { load, room, workers, store, duration, within, node, profile } = values;
  const { benchLoad } = await import('./load/bench-load.ts');
  const { stores } = await import('./load/play.ts');
  const storeOf = stores.find((one) => one === (store ?? 'sqlite'));
  if (!storeOf) {
    console.error(`--store takes ${stores.join(' or ')}, not ${store}`);
    process.exit(64);
  }
  const options = {
    ...(room === undefined ? {} : { room: Number(room) }),
    ...(workers === undefined ? {} : { workers: Number(workers) }),
    store: storeOf,
    ...(duration === undefined ? {} : { duration: Number(duration) }),
    ...(within === undefined ? {} : { within: Number(within) }),
    ...(node === undefined ? {} : { node }),
    ...(profile === undefined ? {} : { profile }),
  };
  process.exit(await benchLoad(Number(load), join(root, 'bench', 'results'), options));
}

const testbed = await liveTestbed();
if (!testbed) process.exit(1);
Object.assign(process.env, testbed);
if (values.truth) {
  const truth = spawnSync(process.execPath, [join(root, 'test', 'truth', 'main.ts')], { stdio: 'inherit' });
  process.exit(truth.status ?? 1);
}
async function streamBeside(): Promise<number> {
  const { benchStream } = await import('./stream/bench-stream.ts');
  return await benchStream(join(root, 'bench', 'results'), Number(values.partitions));
}
if (values.stream) process.exit(await streamBeside());
if (values.schedule) {
  const { benchSchedule } = await import('./schedule/bench-schedule.ts');
  process.exit(await benchSchedule());
}
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.ts')], { stdio: 'inherit' });
if (status !== 0) process.exit(1);

// Its helpers connect when they are loaded, by the environment that has only just been set.
const { bench } = await import('./bench.ts');
const runs = await bench(times, (line) => console.error(`  ${line}`));
const report = makeReport(runs, `npm run bench${times > 1 ? ` -- --repeat ${times}` : ''}`);
const folder = join(root, 'bench', 'results');
mkdirSync(folder, { recursive: true });
const file = join(folder, `${report.at.replaceAll(':', '-')}.json`);
writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
console.log(tableOf(report));
if (values.markdown) console.log(`\n${markdownOf(report)}`);
console.log(`\n${file}`);
const streamCode = values.repeat === undefined ? await streamBeside() : 0;
process.exitCode = report.verdicts.Pass === times ? streamCode : 1;
