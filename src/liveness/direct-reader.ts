import type { DirectReaderFigures } from '../experiment/stream-figures.ts';
import { type PartitionReader, type Progress, readPartition } from '../kafka/partition-reader.ts';
import { dialDirect } from '../kafka/reach.ts';
import type { Settings } from './environment.ts';
import { silencesOf } from './silences.ts';

/** A client that has not read for this long what can be read is stuck; a batch on its way takes less. ms */
export const stuckMs = 1_000;

/** The client's position is compared this often. ms */
const lookMs = 100;

/**
 * What it reads a second of all partitions together. Of a stream that is faster it reads a sample: whoever can read one record can
 * read all. Bytes
 */
const bytesPerSecond = 4_194_304;

/** No more facts than these are kept. */
const maxEvidence = 5;

/** A reader without a group beside the consumer's client. */
export interface DirectReader {
  figures(): DirectReaderFigures;
  /** What shows that the client is stuck now, with one partition or with any; empty where it is not. */
  stuckNow(only?: number): string[];
  /** The stream has only now begun to flow: what was silent until then was none. */
  steady(): void;
  stop(): void;
}

/** What is known of one partition. Times by the monotonic clock. */
interface Beside {
  reader: PartitionReader;
  /** Where the client stood at the last look. */
  stood: number;
  /** Since when there is something to read that the client has not read, and it has not moved. */
  since?: number;
  latest?: Progress & { at: number };
}

/**
 * Reads all partitions straight from their leaders and compares with how far the consumer's client has come. Where records can be
 * read and the client stands still, the client is stuck and not the cluster.
 */
export function startDirectReader(settings: Settings, nextOf: (partition: number) => number): DirectReader {
  const { bootstrap, topic, runId, stream } = settings;
  const now = () => performance.now();
  const epochOf = (at: number) => Math.round(Date.now() - (now() - at));
  const seen = { read: 0, leftOut: 0, leaderChanges: 0, longestSwitchMs: 0, longestStuckMs: 0 };
  const silences = silencesOf(stream.partitions);
  const stuckEvidence: string[] = [];

  function onRecords(partition: number, beside: Beside, progress: Progress): void {
    const at = now();
    silences.came(partition, at);
    seen.read += progress.records;
    seen.leftOut += progress.leftOut;
    beside.latest = { ...progress, at };
  }

  const partitions = Array.from({ length: stream.partitions }, (_, partition): Beside => {
    const beside: Beside = {
      stood: 0,
      reader: readPartition({
        addresses: bootstrap,
        ...{ topic, partition, bytesPerSecond: bytesPerSecond / stream.partitions },
        clientId: `leaderfall-direct-${runId}`,
        dial: settings.dial ?? dialDirect,
        onRecords: (progress) => onRecords(partition, beside, progress),
        onLeader: (_address, switchMs) => {
          if (switchMs === 0) return;
          seen.leaderChanges++;
          seen.longestSwitchMs = Math.max(seen.longestSwitchMs, Math.round(switchMs));
        },
      }),
    };
    return beside;
  });

  function look(): void {
    const at = now();
    for (const [partition, beside] of partitions.entries()) {
      const stands = nextOf(partition);
      const moved = stands !== beside.stood;
      // What was read just before a leader died can be read by nobody now: that is the cluster's.
      const behind = stands < (beside.latest?.next ?? 0) && beside.reader.served;
      if (beside.since !== undefined && (moved || !behind)) over(partition, beside, at);
      beside.stood = stands;
      // A client that was never given anything has first to join its group.
      if (!behind || stands === 0) delete beside.since;
      else beside.since ??= at;
    }
  }

  /** The client moves again, or has nothing left to read. */
  function over(partition: number, beside: Beside, at: number): void {
    const ms = Math.round(at - (beside.since ?? at));
    if (ms >= stuckMs) {
      seen.longestStuckMs = Math.max(seen.longestStuckMs, ms);
      if (stuckEvidence.length < maxEvidence) stuckEvidence.push(factOf(partition, beside, ms));
    }
    delete beside.since;
  }

  function factOf(partition: number, { latest, stood }: Beside, ms: number): string {
    const read = latest
      ? `up to offset ${latest.next} by ${new Date(epochOf(latest.at)).toISOString()}`
      : 'nothing';
    return `partition ${partition}: a reader without a group read ${read}, the client stood at ${stood} for ${ms} ms`;
  }

  function stuckNow(only?: number): string[] {
    const at = now();
    return partitions.flatMap((beside, partition) => {
      const ms = at - (beside.since ?? at);
      return ms >= stuckMs && partition === (only ?? partition)
        ? [factOf(partition, beside, Math.round(ms))]
        : [];
    });
  }

  const timer = setInterval(look, lookMs);
  return {
    stuckNow,
    steady: () => silences.forget(),
    figures() {
      const at = now();
      const { longest } = silences;
      const open = partitions.map(({ since = at }) => Math.round(at - since)).filter((ms) => ms >= stuckMs);
      return {
        read: seen.read,
        leftOut: seen.leftOut,
        longestSilenceMs: Math.round(longest.ms),
        ...(longest.at === undefined ? {} : { longestSilenceAt: epochOf(longest.at) }),
        leaderChanges: seen.leaderChanges,
        longestSwitchMs: seen.longestSwitchMs,
        longestStuckMs: Math.max(seen.longestStuckMs, ...open),
        stuckEvidence: [...stuckEvidence, ...stuckNow()],
      };
    },
    stop() {
      clearInterval(timer);
      for (const { reader } of partitions) reader.close();
    },
  };
}
