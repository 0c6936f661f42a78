import Table from 'cli-table3';
import type { Outcome } from './cell.ts';

/** One row a cell. */
export function tableOf(outcomes: Outcome[]): string {
  const table = new Table({
    head: ['disturbance', 'verdict', 'kills', 'skipped', 'late ms', 's', 'wrong'],
    style: { head: [], border: [], compact: true },
  });
  for (const { cell, verdict, deaths, skips, lateMs, seconds, wrong } of outcomes) {
    table.push([cell.what, verdict, deaths, skips.length, lateMs, seconds, wrong.join('\n')]);
  }
  return table.toString();
}
