import { closeLedger } from '../../../src/liveness/ledger/close.ts';
import {
  newReadLedger,
  type ReadLedger,
  type RecordRead,
  recordClocks,
  recordEnd,
  recordPassed,
  recordRead,
  recordReopened,
  recordStrange,
} from '../../../src/liveness/ledger/read.ts';
import { readFrom, readReport } from '../../../src/liveness/ledger/read-report.ts';
import {
  newSentLedger,
  recordAcked,
  recordUnknown,
  type SentLedger,
  sentFrom,
  sentReport,
} from '../../../src/liveness/ledger/sent.ts';
import type { Tally } from '../../../src/liveness/ledger/tally.ts';
import type { Random } from './random.ts';

/** One batch as its producer remembers it. */
export interface Send {
  producer: number;
  partition: number;
  first: number;
  count: number;
  /** Base offset, or what else the producer knows. */
  outcome: number | 'unknown';
  /** Epoch ms. */
  at: number;
}

/** One thing that happens to a reader. */
export type Step =
  | { kind: 'record'; record: RecordRead; now: number }
  | { kind: 'strange'; partition: number; offset: number; what: 'damaged' | 'foreign' | 'probe' }
  | { kind: 'passed'; partition: number; next: number }
  | { kind: 'clocks'; wall: number; monotonic: number }
  | { kind: 'reopened' }
  | { kind: 'end'; partition: number; end: number };

/** What lies at one offset. */
export type Entry = { producer: number; sequence: number; due: number } | 'marker' | 'damaged' | 'foreign';

/** A run as it really was: what was sent, and what the log of each partition holds. */
export interface World {
  producers: number;
  sends: Send[];
  logs: Entry[][];
  stoppedAt: number;
  /** acks=0: an ack says that the record was sent, not where it is. */
  unplaced: boolean;
}

const batchMs = 50;

/**
 * A healthy run: several producers and partitions, batches refused while a leader is missing, answers lost on the way, batches that
 * arrive after the next one, markers of transactions in between.
 */
export function healthyWorld(random: Random, unplaced = false): World {
  const producers = random.from(1, 3);
  const logs: Entry[][] = Array.from({ length: random.from(1, 3) }, () => []);
  const world: World = { producers, sends: [], logs, stoppedAt: 0, unplaced };
  const next = new Map<string, number>();
  const held = new Map<string, Send>();
  let now = 1_000_000;
  for (let round = random.from(8, 20); round > 0; round--) {
    now += batchMs;
    const leaderless = random.chance(0.15);
    for (let producer = 0; producer < producers; producer++) {
      for (const partition of logs.keys()) {
        const key = `${producer}/${partition}`;
        const first = next.get(key) ?? 0;
        const send: Send = {
          producer,
          partition,
          first,
          count: random.from(1, 6),
          outcome: 'unknown',
          at: now,
        };
        next.set(key, first + send.count);
        world.sends.push(send);
        const late = held.get(key);
        const fate = leaderless
          ? 'refused'
          : random.pick(['acked', 'acked', 'acked', 'unanswered', 'late'] as const);
        if (fate === 'acked') send.outcome = appendBatch(world, send, now);
        if (fate === 'unanswered') appendBatch(world, send, now);
        if (late) appendBatch(world, late, now - batchMs);
        held.delete(key);
        if (fate === 'late') held.set(key, send);
        if (random.chance(0.05)) logs[partition]?.push('marker');
      }
    }
  }
  world.stoppedAt = now;
  return world;
}

/** Appends a batch to its partition's log; gives its base offset. */
export function appendBatch(
  { logs }: World,
  { producer, partition, first, count }: Send,
  due: number,
): number {
  const log = logs[partition] ?? [];
  const base = log.length;
  for (let step = 0; step < count; step++) log.push({ producer, sequence: first + step, due: due + step });
  return base;
}

/** A reader of the whole log, whose client is now and then built anew and then reads some of it again. */
export function readingOf({ logs, stoppedAt }: World, random: Random): Step[] {
  const steps: Step[] = [];
  const at = logs.map(() => 0);
  let now = stoppedAt;
  while (logs.some((log, partition) => (at[partition] ?? 0) < log.length)) {
    now += 7;
    steps.push({ kind: 'clocks', wall: now, monotonic: now - 900_000 });
    const partition = random.from(0, logs.length - 1);
    const from = at[partition] ?? 0;
    const to = Math.min(logs[partition]?.length ?? 0, from + random.from(1, 12));
    steps.push(...readBetween(logs, partition, from, to, now));
    at[partition] = to;
    if (random.chance(0.05)) {
      steps.push({ kind: 'reopened' });
      for (const one of logs.keys()) at[one] = Math.max(0, (at[one] ?? 0) - random.from(0, 20));
    }
  }
  for (const [partition, log] of logs.entries()) steps.push({ kind: 'end', partition, end: log.length });
  return steps;
}

/** One fetch. */
export function readBetween(
  logs: Entry[][],
  partition: number,
  from: number,
  to: number,
  now: number,
): Step[] {
  const entries = logs[partition]?.slice(from, to) ?? [];
  const steps = entries.flatMap((entry, index): Step[] => {
    const offset = from + index;
    if (entry === 'marker') return [];
    if (typeof entry === 'string') return [{ kind: 'strange', partition, offset, what: entry }];
    return [{ kind: 'record', record: { partition, offset, ...entry }, now }];
  });
  return [...steps, { kind: 'passed', partition, next: to }];
}

/** The reader's ledger after these steps. */
export function readLedgerOf(steps: Step[]): ReadLedger {
  const ledger = newReadLedger();
  for (const step of steps) {
    if (step.kind === 'record') recordRead(ledger, step.record, step.now);
    if (step.kind === 'strange') recordStrange(ledger, step.partition, step.offset, step.what);
    if (step.kind === 'passed') recordPassed(ledger, step.partition, step.next);
    if (step.kind === 'clocks') recordClocks(ledger, step.wall, step.monotonic);
    if (step.kind === 'reopened') recordReopened(ledger);
    if (step.kind === 'end') recordEnd(ledger, step.partition, step.end);
  }
  return ledger;
}

/** What the producers' ledgers hold at the end. */
export function sentLedgersOf({ producers, sends, unplaced }: World): SentLedger[] {
  return Array.from({ length: producers }, (_, producer) => {
    const ledger = newSentLedger(producer);
    for (const { partition, first, count, outcome, at } of sends.filter(
      (send) => send.producer === producer,
    )) {
      ledger.triedAt = at;
      if (outcome === 'unknown') recordUnknown(ledger, partition, first, count);
      else recordAcked(ledger, partition, first, count, unplaced ? -1 : outcome);
    }
    return ledger;
  });
}

/** How many records of unknown outcome are in the log, and how many are not. */
export function unknownOf({ sends, logs }: World): { seen: number; unseen: number } {
  const found = { seen: 0, unseen: 0 };
  const inLog = new Set(
    logs.flatMap((log, partition) =>
      log.map((entry) => typeof entry !== 'string' && `${partition}/${entry.producer}/${entry.sequence}`),
    ),
  );
  for (const { producer, partition, first, count } of sends.filter(({ outcome }) => outcome === 'unknown')) {
    for (let sequence = first; sequence < first + count; sequence++) {
      found[inLog.has(`${partition}/${producer}/${sequence}`) ? 'seen' : 'unseen']++;
    }
  }
  return found;
}

/** What the ledger says of a world and its reading; both sides go through JSON, as they do between containers. */
export function verdictOn(world: World, steps: Step[], again?: Step[]): Tally {
  return closeLedger({
    sent: sentLedgersOf(world).map((ledger) => sentFrom(overTheWire(sentReport(ledger)))),
    live: readFrom(overTheWire(readReport(readLedgerOf(steps)))),
    ...(again ? { again: readFrom(overTheWire(readReport(readLedgerOf(again)))) } : {}),
    producers: Array.from({ length: world.producers }, (_, producer) => producer),
    stoppedAt: world.stoppedAt,
  });
}

function overTheWire<T>(report: T): T {
  return JSON.parse(JSON.stringify(report)) as T;
}
