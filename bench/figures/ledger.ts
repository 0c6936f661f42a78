import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Figure } from '../figure.ts';
import type { LedgerCost } from '../probes/ledger-load.ts';

let measured: LedgerCost | undefined;

/** Taken once, after the runs: it has nothing to do with them. */
function cost(): LedgerCost {
  const probe = fileURLToPath(new URL('../probes/ledger-load.ts', import.meta.url));
  measured ??= JSON.parse(execFileSync(process.execPath, [probe], { encoding: 'utf8' })) as LedgerCost;
  return measured;
}

/** At 10 million records of four producers that take turns by ten, both sides in one process. */
export const ledgerFigures: Figure[] = [
  {
    id: 'ledger-record',
    title: 'ledger: cost of a record, sent and read',
    unit: 'ns',
    measure: () => [cost().nsPerRecord],
  },
  {
    id: 'ledger-memory',
    title: 'ledger: what 10 M records in 1 M batches need, both sides',
    unit: 'MiB',
    measure: () => [cost().ledgerMiB],
  },
  {
    id: 'ledger-peak-memory',
    title: 'ledger: peak resident memory at 10 M records, Node and the way through JSON included',
    unit: 'MiB',
    aim: 256,
    measure: () => [cost().peakMiB],
  },
  {
    id: 'ledger-verdict',
    title: 'ledger: 10 M records taken down and judged',
    unit: 's',
    aim: 10,
    measure: () => [cost().verdictSeconds],
  },
  {
    id: 'ledger-after-end',
    title: 'ledger: last of 10 M records → every anomaly named',
    unit: 's',
    aim: 1,
    measure: () => [cost().afterEndSeconds],
  },
];
