import {
  type Anomaly,
  type AnomalyKind,
  anomalyMeaning,
  exampleText,
  permittedBy,
} from '../experiment/anomalies.ts';
import type { Evidence } from '../experiment/result.ts';
import type { StreamReport } from '../experiment/stream-report.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { notObserved } from './words.ts';

/** Broken promises that no limit of the SLO counts. */
const broken: readonly AnomalyKind[] = ['truncated', 'stale', 'damaged'];

/** What keeps the ledger from being closed: other anomalies may hide behind it. */
const open: readonly AnomalyKind[] = ['gap-open', 'silent-producer'];

/** What the ledger says besides what was lost, duplicated and reordered, which the SLO limits. */
export function ledgerLines({ stream }: Evidence): VerdictLine[] {
  return [logKept(stream), ledgerClosed(stream)];
}

function logKept(stream: StreamReport | undefined): VerdictLine {
  const line = {
    id: 'log',
    gate: false,
    what: 'the log changed no record and took none back',
    required: 'nothing truncated, stale or damaged',
  } as const;
  if (!stream?.anomalies) return { ...line, observed: notObserved, outcome: 'not observable', because: [] };
  const found = foundIn(stream.anomalies, broken);
  const permission = ({ kind }: Anomaly) => stream.delivery && permittedBy(kind, stream.delivery);
  const because = found.map((anomaly) => {
    const permitted = permission(anomaly);
    return `${told(anomaly)}${permitted ? ` (permitted by the settings: ${permitted})` : ''}`;
  });
  if (found.every(permission)) return { ...line, observed: summary(found), outcome: 'met', because };
  return { ...line, observed: summary(found), outcome: 'not met', leadsTo: 'Fail', because };
}

function ledgerClosed(stream: StreamReport | undefined): VerdictLine {
  const line = {
    id: 'ledger',
    gate: false,
    what: 'every record is accounted for',
    required: 'no open gap, no silent producer',
  } as const;
  if (!stream?.anomalies) return { ...line, observed: notObserved, outcome: 'not observable', because: [] };
  const found = foundIn(stream.anomalies, open);
  if (found.length === 0) return { ...line, observed: 'none', outcome: 'met', because: [] };
  const because = found.map(told);
  return { ...line, observed: summary(found), outcome: 'not observable', leadsTo: 'Inconclusive', because };
}

function foundIn(anomalies: readonly Anomaly[], kinds: readonly AnomalyKind[]): Anomaly[] {
  return anomalies.filter(({ kind, count }) => count > 0 && kinds.includes(kind));
}

function summary(found: readonly Anomaly[]): string {
  return found.length === 0 ? 'none' : found.map(({ kind, count }) => `${count} ${kind}`).join(', ');
}

function told({ kind, count, first }: Anomaly): string {
  return `${count} ${kind} (${anomalyMeaning[kind]}), the first: ${exampleText(first)}`;
}
