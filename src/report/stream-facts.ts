import { type Anomaly, anomalyMeaning, exampleText } from '../experiment/anomalies.ts';
import type {
  DirectReaderFigures,
  GroupFigures,
  IsrShrink,
  MetadataFigures,
} from '../experiment/stream-figures.ts';
import type { Latency, StreamReport } from '../experiment/stream-report.ts';
import type { Fact, FactTable } from './facts.ts';
import { clock, duration, times } from './format.ts';

/** What became of the records, and what was seen of the partition meanwhile; what a run did not look at is left out. */
export function streamFacts(report: StreamReport): Fact[] {
  const { acked, received, lost, duplicated, outOfOrder, unknown, metadata, group, directReader } = report;
  const since = report.longestSilenceAt ? ` from ${clock(report.longestSilenceAt)}` : '';
  const lostText = `${lost} lost${lost > 0 ? ` (${report.lostExamples.join(', ')} …)` : ''}`;
  return [
    ['records', `${acked} acked, ${received} received, ${lostText}`],
    ['besides', `${duplicated} duplicated, ${outOfOrder} out of order, ${unknown} of unknown outcome`],
    ...(report.anomalies ?? []).map(anomalyFact),
    ['drained', report.drained ? 'yes' : 'no: lost records cannot be told'],
    [
      'silence',
      `longest ${duration(report.longestSilenceMs)}${since}; longest without an ack ${duration(report.longestAckGapMs)}`,
    ],
    ...outageFacts(report),
    ['send to ack', latency(report.sendToAck)],
    ['to receive', latency(report.sendToReceive)],
    ...faultFacts(report),
    ...(metadata ? metadataFacts(metadata) : []),
    ...(group ? [groupFact(group)] : []),
    ...(directReader ? [readerFact(directReader)] : []),
  ];
}

/** How a consumer that gave up did so, what shows a stuck client, and what the stream's containers noted. */
export function streamRemarks({ silence, directReader, notes }: StreamReport): string[] {
  const seen = silence && [silence.confirmed, ...silence.evidence].join('; ');
  const gaveUp =
    silence &&
    `the consumer gave up at ${clock(silence.at)} after ${duration(silence.silentMs)}; a fresh client: ${seen}`;
  return [
    ...(gaveUp ? [gaveUp] : []),
    ...(directReader?.stuckEvidence ?? []),
    ...notes.map((note) => `note: ${note}`),
  ];
}

/** The `most` longest outages in the order of time: those that the observer's probes saw beside those that the producer had. */
export function outageTable(
  { partitionOutages, producerOutages = [] }: StreamReport,
  most = Number.POSITIVE_INFINITY,
): FactTable {
  const seen = (partitionOutages?.longest ?? []).map(({ partition, at, ms, how, open }) => ({
    at,
    ms,
    cells: [
      partition === undefined ? 'partition' : `partition ${partition}`,
      clock(at),
      lasted(ms, open),
      `first seen as ${how}`,
    ],
  }));
  const had = producerOutages.map((outage) => {
    const { partition, at, ms, open, errors, failedSends, retries, rebuilds } = outage;
    const { backoffMs, clientRecoveryMs, servedMs, stuckMs } = outage;
    const parts = [
      ...Object.entries(errors).map(([kind, sends]) => `${kind} ${times(sends)}`),
      ...(failedSends > 0 ? [`sends failed ${times(failedSends)}`] : []),
      ...(retries > 0 ? [`the client repeated ${times(retries)}`] : []),
      ...(backoffMs > 0 ? [`it waited ${duration(backoffMs)} before it did`] : []),
      ...(rebuilds > 0 ? [`client built anew ${times(rebuilds)}`] : []),
      ...(clientRecoveryMs === undefined ? [] : [`leader known to first ack ${duration(clientRecoveryMs)}`]),
      ...(servedMs ? [`the leader served probes for ${duration(servedMs)} of it`] : []),
      ...(stuckMs ? [`the producer’s client was stuck for ${duration(stuckMs)} of it`] : []),
    ];
    const made = parts.length > 0 ? parts.join('; ') : 'no error: the answer was late';
    return { at, ms, cells: [`producer, partition ${partition}`, clock(at), lasted(ms, open), made] };
  });
  const longest = [...seen, ...had].sort((a, b) => b.ms - a.ms).slice(0, most);
  const rows = longest.sort((a, b) => a.at - b.at).map(({ cells }) => cells);
  return { head: ['outage of', 'from', 'lasted', 'made of'], rows };
}

/** The `most` longest times in which a partition had fewer replicas in sync than it has, in the order of time. */
export function shrinkTable({ metadata }: StreamReport, most = Number.POSITIVE_INFINITY): FactTable {
  const longest = (metadata?.shrinks ?? []).toSorted((a, b) => shrunkMs(b) - shrunkMs(a)).slice(0, most);
  return {
    head: ['ISR of', 'shrank', 'full again', 'after', 'fewest in sync'],
    rows: longest
      .sort((a, b) => a.at - b.at)
      .map(({ partition, at, fullAt, least }) => [
        `partition ${partition}`,
        clock(at),
        fullAt === undefined ? 'not seen' : clock(fullAt),
        fullAt === undefined ? '-' : duration(fullAt - at),
        String(least),
      ]),
  };
}

/** One that was not seen to end is the longest. */
const stillShrunk = Number.MAX_SAFE_INTEGER;

function shrunkMs({ at, fullAt }: IsrShrink): number {
  return fullAt === undefined ? stillShrunk : fullAt - at;
}

function lasted(ms: number, open: boolean | undefined): string {
  return open ? `${duration(ms)}, still open` : duration(ms);
}

function anomalyFact({ kind, count, first }: Anomaly): Fact {
  return [kind, `${count}: ${anomalyMeaning[kind]}; first ${exampleText(first)}`];
}

function outageFacts({ partitionOutages, producerOutage }: StreamReport): Fact[] {
  const rows: Fact[] = [];
  if (partitionOutages) {
    const { count, longestMs, totalMs, stepMs, partitions = 1 } = partitionOutages;
    const of = partitions > 1 ? ` in the partition with most, of ${partitions}` : '';
    rows.push(['outages', `${sum(count, longestMs, totalMs)}${of}; probed every ${duration(stepMs)}`]);
  }
  if (producerOutage) {
    const { count, maxMs, totalMs } = producerOutage;
    rows.push(['no acks', sum(count, maxMs, totalMs)]);
  }
  return rows;
}

/** The stream while a fault could be felt, beside all other times. */
function faultFacts({ faultWindows }: StreamReport): Fact[] {
  if (!faultWindows) return [];
  const { count, totalMs, inside, outside, unsent = 0, throughputDipPercent: dip } = faultWindows;
  const worst = dip === undefined ? '' : `; the worst second lost ${Math.round(dip)} % of the acks`;
  const failed = unsent > 0 ? `; ${unsent} records not sent count with the time until others were` : '';
  return [
    ['faults', `${count} windows, together ${duration(totalMs)}${worst}${failed}`],
    ['inside', latency(inside)],
    ['outside', latency(outside)],
  ];
}

function metadataFacts(figures: MetadataFigures): Fact[] {
  const { leaderlessMs, leaderlessCount, leaderChanges, controllerChanges } = figures;
  const { shrinks, underReplicatedSeconds, shrinkCount = shrinks.length } = figures;
  const { openShrinks = shrinks.filter(({ fullAt }) => fullAt === undefined).length } = figures;
  const ended = shrinks.filter(({ fullAt }) => fullAt !== undefined);
  const { longestShrunkMs = Math.max(0, ...ended.map(shrunkMs)) } = figures;
  const most = longestShrunkMs > 0 ? `, for ${duration(longestShrunkMs)} at most` : '';
  const open = openShrinks > 0 ? ', and was not full at the end' : '';
  return [
    ['leaderless', `${times(leaderlessCount)}, together ${duration(leaderlessMs)}`],
    ['changes', `leader ${times(leaderChanges)}, controller ${times(controllerChanges)}`],
    [
      'ISR',
      `shrank ${times(shrinkCount)}${most}${open}; under-replicated for ${underReplicatedSeconds.toFixed(1)} partition-seconds`,
    ],
  ];
}

function groupFact(figures: GroupFigures): Fact {
  const { rebalances, longestRebalanceMs, rebalanceMs, coordinatorMoves } = figures;
  return [
    'group',
    `rebalanced ${sum(rebalances, longestRebalanceMs, rebalanceMs)}; coordinator moved ${times(coordinatorMoves)}`,
  ];
}

function readerFact(figures: DirectReaderFigures): Fact {
  const { read, leftOut = 0, longestSilenceMs, longestSwitchMs, longestStuckMs } = figures;
  const share = leftOut > 0 ? `${read} of ${read + leftOut}` : `${read}`;
  return [
    'direct reader',
    `${share} read, longest silence ${duration(longestSilenceMs)}, longest change of leader ${duration(longestSwitchMs)}; the consumer lagged behind it ${duration(longestStuckMs)} at most`,
  ];
}

function sum(count: number, longestMs: number, totalMs: number): string {
  return count === 0
    ? 'never'
    : `${times(count)}, longest ${duration(longestMs)}, together ${duration(totalMs)}`;
}

function latency(figures: Latency | undefined): string {
  if (!figures) return 'not observed';
  const { p50, p99, max, count } = figures;
  return `p50 ${duration(p50)}, p99 ${duration(p99)}, max ${duration(max)} of ${count}`;
}
