import Table from 'cli-table3';
import type { Verdict } from '../experiment/result.ts';
import { type Paint, plain, type Tone, unpainted } from './format.ts';
import { regressions, type TrendRun, trendTable, verdictCounts } from './trend.ts';

const tones: Record<Verdict, Tone> = {
  Pass: 'good',
  Fail: 'bad',
  Inconclusive: 'warn',
  Error: 'bad',
  Stopped: 'warn',
  Skipped: 'dim',
};

/** Runs over time as a table, with what got worse. Ends with a line feed. */
export function trendText(runs: readonly TrendRun[], paint: Paint = unpainted): string {
  if (runs.length === 0) return 'no runs that are over\n';
  const { head, rows } = trendTable(runs);
  const table = new Table({
    head,
    style: { head: [], border: [], compact: true },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  rows.forEach((cells, index) => {
    const tone = tones[runs[index]?.verdict ?? 'Error'];
    table.push(cells.map((cell, column) => (column === 1 ? paint(tone, cell) : plain(cell))));
  });
  const worse = regressions(runs);
  return `${[
    table.toString(),
    verdictCounts(runs),
    ...(worse.length > 0
      ? [
          '',
          paint('strong', 'Worse than the median of up to five passed runs before'),
          ...worse.map((one) => `  - ${plain(one)}`),
        ]
      : []),
  ].join('\n')}\n`;
}
