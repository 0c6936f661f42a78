import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { streamRate, type Verified } from './stream-rate.ts';

/** The stream should not be slower than this part of kafkajs alone. */
const aim = 0.9;

const rounds = 3;
const seconds = 15;

/** Measures, prints a table and keeps everything in a folder. Gives the exit code: 1 where a record was not accounted for. */
export async function benchStream(folder: string): Promise<number> {
  const at = new Date().toISOString();
  const found = await streamRate(rounds, seconds, (line) => console.error(`  ${line}`));
  const raw = best(found.raw.map(slower));
  const verified = best(found.verified.map(slower));
  const machine = { cores: cpus().length, load: Math.round((loadavg()[0] ?? 0) * 10) / 10 };
  const table = new Table({
    head: ['records of 1 KB a second, acks=all', 'best', 'all rounds'],
    style: { head: [], border: [] },
  });
  table.push(['kafkajs alone', raw, found.raw.map(slower).join(', ')]);
  table.push(['the stream, every record accounted for', verified, found.verified.map(slower).join(', ')]);
  table.push([`part of kafkajs alone (aim ${aim})`, (verified / raw).toFixed(2), '']);
  console.log(`${table}\n${machine.cores} cores for brokers and clients, load ${machine.load}`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `stream-${at.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ at, machine, ...found }, undefined, 2)}\n`);
  console.log(`\n${file}`);
  return found.verified.every(isWhole) ? 0 : 1;
}

/** What both sides kept up with. */
function slower({ sent, read }: { sent: number; read: number }): number {
  return Math.min(sent, read);
}

function best(rates: number[]): number {
  return Math.max(0, ...rates);
}

function isWhole({ lost, duplicated, outOfOrder, drained }: Verified): boolean {
  return drained && lost + duplicated + outOfOrder === 0;
}
