import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { startRig } from '../../test/durability/rig.ts';
import { deployedNode } from '../deployed-node.ts';
import { quantile } from '../figure.ts';
import { type Level, limits, playLevel, type Store } from './play.ts';

/** The latest that a kill may be, at the 99th percentile. ms */
const aimMs = 250;

/** No level is larger. */
const most = 800;

/** Options of `npm run bench -- --load N`. */
export interface LoadOptions {
  room?: number;
  workers?: number;
  store?: Store;
  duration?: number;
  within?: number;
  node?: string;
  profile?: string;
}

/**
 * `npm run bench -- --load N`: N live runs on one limited worker, with a real Temporal server and simulated clusters; then twice as many, until
 * a level misses its aim. `room`: LEADERFALL_RUNS_AT_ONCE, else as many as there are runs; with it there is one level. `workers`: on the one task queue, 1 by default. `store`: of the Temporal server. `duration`: of each
 * run's kills, by default long enough for all to be live for a minute, s. `within`: the time over which they begin, s.
 * `node`: options of Node in the place of the image's. `profile`: a folder for Node's CPU profiles of the worker. Gives the exit
 * code: 1 where something was lost or wrong, however late; a figure that misses its aim is only shown.
 */
export async function benchLoad(
  first: number,
  folder: string,
  { room, workers = 1, store = 'sqlite', duration = 120, within = 60, node, profile }: LoadOptions,
): Promise<number> {
  const options = node === undefined ? deployedNode().options : node.split(' ').filter(Boolean);
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const rig = await startRig();
  const levels: Level[] = [];
  try {
    for (let runs = first; runs <= most; runs *= 2) {
      console.error(`  ${runs} runs …`);
      const level = await playLevel(rig, {
        ...{ runs, workers, store, room: room ?? runs, node: [...options, ...profiling] },
        ...{ durationSeconds: duration, beginWithinSeconds: within },
      });
      levels.push(level);
      for (const line of [...level.reasons.slice(0, 5), ...level.wrong.slice(0, 5)])
        console.error(`  ${line}`);
      if (room !== undefined || missed(level).length > 0) break;
    }
  } finally {
    await rig.close();
  }
  mkdirSync(folder, { recursive: true });
  const kept = levels.map((level) => ({ ...level, verdicts: Object.fromEntries(level.verdicts) }));
  const file = join(folder, `load-${new Date().toISOString().replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ loadavg: loadavg(), limits, levels: kept }, undefined, 2)}\n`);
  console.log(`${tableOf(levels)}\n${verdictOf(levels)}\n${file}`);
  return levels.some(isWrong) ? 1 : 0;
}

/** What a level did not reach. */
function missed(level: Level): string[] {
  const p99 = quantile(level.delays, 0.99) ?? 0;
  return [
    ...(p99 > aimMs ? [`kill delay p99 ${p99} ms`] : []),
    ...(level.missedHeartbeats > 0 ? [`${level.missedHeartbeats} heartbeats missed`] : []),
    ...(level.skipped > 0 ? [`${level.skipped} kills skipped`] : []),
    ...(isWrong(level) ? ['lost or wrong'] : []),
  ];
}

/** Inconclusive is right where a kill was skipped for being late; everything else that is not Pass is not. */
function isWrong({ verdicts, wrong }: Level): boolean {
  return wrong.length > 0 || [...verdicts.keys()].some((one) => one !== 'Pass' && one !== 'Inconclusive');
}

function verdictOf(levels: Level[]): string {
  const good = levels.filter((level) => missed(level).length === 0).at(-1);
  const last = levels.at(-1);
  const beyond = last && last !== good ? `; ${last.runs}: ${missed(last).join(', ')}` : '';
  const { cpus, memoryMiB } = limits;
  const unlimited = levels.find((level) => level.unlimited)?.unlimited;
  const within = unlimited ? `not limited (${unlimited})` : `${cpus} CPU and ${memoryMiB} MiB`;
  return [
    `${last?.workers === 1 ? 'one worker' : `each of ${last?.workers} workers`}, ${within}: ${good ? `${good.runs} live runs reach every aim` : 'no level reaches every aim'}${beyond}`,
    `load of the machine ${loadavg()[0]?.toFixed(1)}`,
  ].join('\n');
}

function tableOf(levels: Level[]): string {
  const table = new Table({
    head: [
      ...['runs', 'workers', 'room', 'store', 'verdicts'],
      ...['kills made', 'skipped', 'delay p50', 'p99', 'max ms'],
      ...['heartbeats missed', 'lost or wrong', 's', 'CPU workers', 'Temporal', 'clusters', 'peak MiB'],
    ],
    style: { head: [], border: [] },
  });
  for (const level of levels) {
    const {
      runs,
      workers,
      room,
      store,
      verdicts,
      planned,
      skipped,
      delays,
      missedHeartbeats,
      wrong,
      seconds,
      load,
    } = level;
    table.push([
      ...[runs, workers, room, store],
      [...verdicts].map(([verdict, count]) => `${count} ${verdict}`).join(', '),
      ...[`${delays.length} of ${planned}`, skipped],
      ...[0.5, 0.99, 1].map((part) => quantile(delays, part) ?? 0),
      ...[missedHeartbeats, wrong.length, Math.round(seconds)],
      ...[load.workers, load.temporal, load.clusters].map((one) => one.toFixed(2)),
      Math.round(level.peakMiB),
    ]);
  }
  return table.toString();
}
