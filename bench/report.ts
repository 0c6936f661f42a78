import { cpus, loadavg } from 'node:os';
import Table from 'cli-table3';
import { type Figure, type MeasuredRun, type Summary, summarize } from './figure.ts';
import { allFigures } from './figures/all-figures.ts';

/** One line of the table. */
export interface Row extends Pick<Figure, 'id' | 'title' | 'unit' | 'aim' | 'litmus'> {
  values: number[];
  summary?: Summary;
  /** Whether the worst value meets the aim; absent where there is no aim or no value. */
  met?: boolean;
}

/** What is kept of a benchmark. */
export interface Report {
  at: string;
  command: string;
  versions: Record<string, string>;
  /** Cores, and the load of the machine in its last minute at the end. */
  machine: { cores: number; load: number };
  verdicts: Record<string, number>;
  rows: Row[];
  runs: { verdict: string; reasons: string[]; actions: object; requests: object; recoveriesMs: number[] }[];
}

/** Puts the figures of all runs together. */
export function makeReport(runs: MeasuredRun[], command: string): Report {
  const verdicts: Record<string, number> = {};
  for (const { result } of runs) {
    const verdict = result?.verdict ?? 'none';
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  }
  return {
    at: new Date().toISOString(),
    command,
    versions: runs.find(({ result }) => result)?.result?.versions ?? {},
    machine: { cores: cpus().length, load: Math.round((loadavg()[0] ?? 0) * 10) / 10 },
    verdicts,
    rows: allFigures.map((figure) => rowOf(figure, runs)),
    runs: runs.map(({ result, actions, requests }) => ({
      verdict: result?.verdict ?? 'none',
      reasons: result?.reasons ?? [],
      actions,
      requests,
      recoveriesMs: (result?.kills ?? []).flatMap(({ proof }) => proof?.timeToFullIsrMs ?? []),
    })),
  };
}

function rowOf(figure: Figure, runs: MeasuredRun[]): Row {
  const { id, title, unit, aim, litmus } = figure;
  const values = runs.flatMap((run) => figure.measure(run));
  const summary = summarize(values);
  return {
    ...{ id, title, unit, aim, litmus, values, summary },
    ...(aim === undefined || !summary ? {} : { met: summary.max <= aim }),
  };
}

/** The table for a person; in Markdown it is the same with bars. */
export function tableOf({ rows, verdicts, machine }: Report): string {
  const table = new Table({
    head: ['figure', 'p50', 'max', 'aim', '', 'Litmus, for orientation'],
    style: { head: [], border: [] },
  });
  for (const row of rows) table.push(cellsOf(row));
  return `${table}\n${verdictLine(verdicts)}; ${machine.cores} cores, load ${machine.load}`;
}

/** The table as it stands in the documentation. */
export function markdownOf({ rows, verdicts, machine }: Report): string {
  const lines = [
    ['figure', 'p50', 'max', 'aim', 'met', 'Litmus'],
    ['---', '---:', '---:', '---:', '---', '---'],
  ];
  const bars = [...lines, ...rows.map(cellsOf)].map((cells) => `| ${cells.join(' | ')} |`);
  return `${bars.join('\n')}\n\n${verdictLine(verdicts)}; ${machine.cores} cores, load ${machine.load}.`;
}

function cellsOf({ title, unit, summary, aim, met, litmus }: Row): string[] {
  const value = (number: number | undefined) => (number === undefined ? '–' : `${number} ${unit}`.trim());
  const met_ = met === undefined ? '' : met ? 'yes' : 'NO';
  const limit = aim === undefined ? '' : `≤ ${value(aim)}`;
  return [title, value(summary?.median), value(summary?.max), limit, met_, litmus ?? ''];
}

function verdictLine(verdicts: Record<string, number>): string {
  const total = Object.values(verdicts).reduce((sum, count) => sum + count, 0);
  const counts = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`);
  return `${total} ${total === 1 ? 'run' : 'runs'} in a row: ${counts.join(', ')}`;
}
