import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { summarize } from '../figure.ts';
import { parts, type Work } from '../probes/who-works.ts';
import type { Rate } from './measure.ts';
import { type StreamRate, streamRate, type Verified } from './stream-rate.ts';

/** What the stream should reach: records a second, and part of what kafkajs alone does. */
const aims = { rate: 50_000, ratio: 0.9 };

const roundsMade = 5;
const seconds = 15;

/** Measures, prints a table and keeps everything in a folder. Gives the exit code: 1 where a record was not accounted for. */
export async function benchStream(folder: string, partitions: number): Promise<number> {
  const at = new Date().toISOString();
  const found = await streamRate({ rounds: roundsMade, seconds, partitions }, (line) =>
    console.error(`  ${line}`),
  );
  const raw = median(found.raw.map(slower));
  const verified = median(found.verified.map(slower));
  const ratio = verified / raw;
  const machine = { cores: cpus().length, load: Math.round((loadavg()[0] ?? 0) * 10) / 10 };
  const table = new Table({
    head: [
      `records of 1 KB a second, acks=all, partitions: ${partitions}`,
      'median',
      'all rounds',
      'aim',
      'met',
    ],
    style: { head: [], border: [] },
  });
  const met = (is: boolean) => (is ? 'yes' : 'NO');
  const rounds = (rates: Rate[]) => rates.map(slower).join(', ');
  const rate = [verified, rounds(found.verified), `≥ ${aims.rate}`, met(verified >= aims.rate)];
  table.push(['kafkajs alone', raw, rounds(found.raw), '', '']);
  table.push(['the stream, every record accounted for', ...rate]);
  table.push(['part of kafkajs alone', ratio.toFixed(2), '', `≥ ${aims.ratio}`, met(ratio >= aims.ratio)]);
  console.log(
    `${table}\n${costTable(found)}\n${machine.cores} cores for brokers and clients, load ${machine.load}`,
  );
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `stream-${at.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ at, machine, ...found }, undefined, 2)}\n`);
  console.log(`\n${file}`);
  return found.verified.every(isWhole) ? 0 : 1;
}

/** Who used the processor, by record, in the middle of the rounds. */
function costTable({ raw, verified }: StreamRate): Table.Table {
  const table = new Table({
    head: ['processor time of a record, µs', 'kafkajs alone', 'the stream'],
    style: { head: [], border: [] },
  });
  const cost = (rates: Rate[], part: keyof Work) => median(rates.map((rate) => rate.cost[part])).toFixed(1);
  for (const part of parts) table.push([part, cost(raw, part), cost(verified, part)]);
  return table;
}

/** What both sides kept up with. */
function slower({ sent, read }: Rate): number {
  return Math.min(sent, read);
}

function median(rates: number[]): number {
  return summarize(rates)?.median ?? Number.NaN;
}

function isWhole({ lost, duplicated, outOfOrder, drained }: Verified): boolean {
  return drained && lost + duplicated + outOfOrder === 0;
}
