import type { AnomalyKind } from '../../../src/experiment/anomalies.ts';
import {
  appendBatch,
  type Entry,
  readBetween,
  readingOf,
  type Send,
  type Step,
  type World,
} from './history.ts';
import type { Random } from './random.ts';

/** What a mutator did to a healthy run, and what must be said of it. */
export interface Mutant {
  steps: Step[];
  /** The whole log, read once more. */
  again?: Step[];
  /** Exact counts. */
  expected: Counts;
  /** The same under acks=0, where it is another. */
  unplaced?: Counts;
}

/** Kinds and how often each is to be named; sends of unknown outcome are counted apart. */
export type Counts = Partial<Record<AnomalyKind, number>>;

/** Changes a healthy world in place, or its reading; undefined where this world has nothing to be changed in this way. */
export type Mutator = (world: World, random: Random) => Mutant | undefined;

/** One mutator a way in which a log, a client or a clock can fail. */
export const mutators: Record<string, Mutator> = {
  'an acknowledged batch is dropped': (world, random) => {
    const send = pickAcked(world, random);
    if (!send) return undefined;
    replace(world, send, () => 'marker');
    return { steps: readingOf(world, random), expected: { lost: send.count } };
  },

  'one record of a batch is dropped': (world, random) => {
    const send = pickAcked(world, random);
    if (!send) return undefined;
    logOf(world, send)[send.outcome + random.from(0, send.count - 1)] = 'marker';
    return { steps: readingOf(world, random), expected: { lost: 1 } };
  },

  'one record of a batch is written twice': (world, random) => {
    const send = pickAcked(world, random);
    if (!send) return undefined;
    const log = logOf(world, send);
    const at = send.outcome + random.from(0, send.count - 1);
    log.push(...log.slice(at, at + 1));
    return { steps: readingOf(world, random), expected: { duplicated: 1 } };
  },

  'two records of a batch swap their places': (world, random) => {
    const send = pickAcked(world, random, 2);
    if (!send) return undefined;
    const log = logOf(world, send);
    const at = send.outcome + random.from(0, send.count - 2);
    log.splice(at, 2, ...log.slice(at, at + 2).reverse());
    // Both are at an offset that was acknowledged for the other.
    const expected = { reordered: 1, truncated: 2 };
    return { steps: readingOf(world, random), expected, unplaced: { reordered: 1 } };
  },

  'a batch is written to another partition': (world, random) => {
    const send = pickAcked(world, random);
    const others = world.logs.filter((log) => send && log !== logOf(world, send));
    if (!send || others.length === 0) return undefined;
    replace(world, send, () => 'marker');
    random.pick(others).push(...new Array<Entry>(send.count).fill('foreign'));
    return { steps: readingOf(world, random), expected: { lost: send.count, foreign: send.count } };
  },

  'a batch is written twice': (world, random) => {
    const send = pickAcked(world, random);
    if (!send) return undefined;
    const log = logOf(world, send);
    log.push(...log.slice(send.outcome, send.outcome + send.count));
    return { steps: readingOf(world, random), expected: { duplicated: send.count } };
  },

  'two batches swap their places': (world, random) => {
    const pair = pickNeighbours(world, random);
    if (!pair) return undefined;
    const [early, late] = pair;
    const log = logOf(world, early);
    const from = early.outcome;
    const to = late.outcome + late.count;
    const swapped = [
      ...log.slice(late.outcome, to),
      ...log.slice(from + early.count, late.outcome),
      ...log.slice(from, from + early.count),
    ];
    log.splice(from, to - from, ...swapped);
    for (const send of world.sends) {
      if (typeof send.outcome === 'number')
        send.outcome = log === logOf(world, send) ? whereIs(log, send) : send.outcome;
    }
    return { steps: readingOf(world, random), expected: { reordered: early.count } };
  },

  'the log goes back before it is read, and other records take the place': (world, random) => {
    const gone = rewriteTail(world, random);
    if (!gone) return undefined;
    const expected = { lost: gone.acked, truncated: gone.acked };
    return { steps: readingOf(world, random), expected, unplaced: { lost: gone.acked } };
  },

  'the log goes back after it was read, and other records take the place': (world, random) => {
    const before = readingOf(world, random);
    const gone = rewriteTail(world, random);
    if (!gone) return undefined;
    const again = readingOf(world, random);
    const steps = [...before.filter(({ kind }) => kind !== 'end'), { kind: 'reopened' } as const, ...again];
    return { steps, again, expected: { lost: gone.acked, truncated: gone.records } };
  },

  'the log goes back after it was read, unseen by the reader': (world, random) => {
    const steps = readingOf(world, random);
    const gone = rewriteTail(world, random);
    if (!gone) return undefined;
    return {
      steps,
      again: readingOf(world, random),
      expected: { lost: gone.acked, truncated: gone.acked },
      unplaced: { lost: gone.acked },
    };
  },

  'the end of the log goes back': (world, random) => {
    const partition = random.from(0, world.logs.length - 1);
    const cut = random.from(1, 3);
    const log = world.logs[partition] ?? [];
    if (log.length < cut || log.slice(-cut).includes('marker')) return undefined;
    const steps = readingOf(world, random).map((step) =>
      step.kind === 'end' && step.partition === partition ? { ...step, end: step.end - cut } : step,
    );
    return { steps, expected: { truncated: cut } };
  },

  'the reader is given old records again': (world, random) => {
    const partition = random.from(0, world.logs.length - 1);
    const records = world.logs[partition]?.filter((entry) => typeof entry !== 'string').length ?? 0;
    if (records === 0) return undefined;
    const length = world.logs[partition]?.length ?? 0;
    const healthy = readingOf(world, random);
    // A session that has read the whole of it, and is then given all of it once more.
    const whole = [
      { kind: 'reopened' } as const,
      ...readBetween(world.logs, partition, 0, length, world.stoppedAt),
    ];
    const old = readBetween(world.logs, partition, 0, length, world.stoppedAt).filter(isRecord);
    const stale = old.reverse();
    return { steps: [...healthy, ...whole, ...stale], expected: { stale: records } };
  },

  'a producer is never heard of': (world, random) => {
    silence(world, random.from(0, world.producers - 1), 0);
    return { steps: readingOf(world, random), expected: { 'silent-producer': 1 } };
  },

  'a producer falls silent': (world, random) => {
    const silent = random.from(0, world.producers - 1);
    silence(world, silent, random.pick(world.sends).at);
    world.stoppedAt += 6_000;
    for (const send of world.sends) if (send.producer !== silent) send.at = world.stoppedAt;
    return { steps: readingOf(world, random), expected: { 'silent-producer': 1 } };
  },

  'the payload of a record is damaged': (world, random) => {
    const send = pickAcked(world, random);
    if (!send) return undefined;
    const hit = send.outcome + random.from(0, send.count - 1);
    logOf(world, send)[hit] = 'damaged';
    return { steps: readingOf(world, random), expected: { damaged: 1, lost: 1 } };
  },

  'somebody else writes to the topic': (world, random) => {
    random.pick(world.logs).push('foreign');
    return { steps: readingOf(world, random), expected: { foreign: 1 } };
  },

  'a clock of a producer is set back': (world, random) => {
    // Only the newest records tell: those that come late are older in any case.
    const isStep = (before: number | undefined, due: number, from: number) =>
      before !== undefined && before < from && due >= from;
    return stepDue(world, random, { by: -5_000, isStep, newestAlone: true });
  },

  'a clock of a producer is set forward': (world, random) => {
    // Each time that its records begin to come before they are due.
    const isStep = (before: number | undefined, due: number, from: number) =>
      due >= from && (before === undefined || before < from);
    return stepDue(world, random, { by: 60_000, isStep, newestAlone: false });
  },

  'the clock of the reader is set': (world, random) => {
    const steps = readingOf(world, random);
    const jump = random.pick([-3_600_000, -500, 500, 3_600_000]);
    const looks = steps.filter((step) => step.kind === 'clocks');
    if (looks.length < 3) return undefined;
    const from = steps.indexOf(random.pick(looks.slice(1)));
    const stepped = steps.map((step, index): Step => {
      if (step.kind === 'clocks' && index >= from) return { ...step, wall: step.wall + jump };
      return step;
    });
    return { steps: stepped, expected: { 'clock-step': 1 } };
  },

  'a producer forgets a batch that is not in the log': (world, random) => {
    const pair = pickNeighbours(world, random);
    if (!pair) return undefined;
    const [send] = pair;
    replace(world, send, () => 'marker');
    world.sends.splice(world.sends.indexOf(send), 1);
    return { steps: readingOf(world, random), expected: { 'gap-open': send.count } };
  },

  'the closing read does not come to the end of the log': (world, random) => {
    const send = pickAcked(world, random);
    if (!send) return undefined;
    replace(world, send, () => 'marker');
    const steps = readingOf(world, random).map((step) =>
      step.kind === 'end' ? { ...step, end: step.end + 1 } : step,
    );
    const unread = world.sends.filter(
      ({ producer, partition, first, outcome }) =>
        outcome === 'unknown' &&
        !world.logs[partition]?.some((entry) => isOf(entry, producer) && entry.sequence === first),
    );
    const open = unread.reduce((sum, { count }) => sum + count, send.count);
    // What may still come is open, whether it was acknowledged or not.
    return { steps, expected: { 'gap-open': open, 'unknown-unseen': 0 } };
  },
};

type Acked = Send & { outcome: number };

function pickAcked({ sends }: World, random: Random, atLeast = 1): Acked | undefined {
  const acked = sends.filter(
    (send): send is Acked => typeof send.outcome === 'number' && send.count >= atLeast,
  );
  return acked.length > 0 ? random.pick(acked) : undefined;
}

/** Two acknowledged batches of one producer and partition that were sent one after the other. */
function pickNeighbours({ sends }: World, random: Random): [Acked, Acked] | undefined {
  const pairs = sends.flatMap((early): [Acked, Acked][] => {
    const late = sends.find(
      ({ producer, partition, first }) =>
        producer === early.producer && partition === early.partition && first === early.first + early.count,
    );
    return typeof early.outcome === 'number' && typeof late?.outcome === 'number'
      ? [[early as Acked, late as Acked]]
      : [];
  });
  return pairs.length > 0 ? random.pick(pairs) : undefined;
}

function logOf({ logs }: World, { partition }: Send): Entry[] {
  return logs[partition] ?? [];
}

function replace(world: World, send: Acked, by: (sequence: number) => Entry): void {
  for (let step = 0; step < send.count; step++)
    logOf(world, send)[send.outcome + step] = by(send.first + step);
}

function whereIs(log: Entry[], { producer, first }: Send): number {
  return log.findIndex((entry) => isOf(entry, producer) && entry.sequence === first);
}

/**
 * From some acknowledged batch on, the log of a partition holds other records, as under a leader that lacked the tail. Tells how
 * many records went, and how many of them had been acknowledged.
 */
function rewriteTail(world: World, random: Random): { records: number; acked: number } | undefined {
  const cut = pickAcked(world, random);
  if (!cut) return undefined;
  const { partition, outcome: from } = cut;
  const tail = logOf(world, cut).splice(from);
  const acked = world.sends.filter(
    (send) => send.partition === partition && typeof send.outcome === 'number' && send.outcome >= from,
  );
  while (logOf(world, cut).length < from + tail.length) {
    const producer = random.from(0, world.producers - 1);
    const same = world.sends.filter((send) => send.producer === producer && send.partition === partition);
    const first = Math.max(0, ...same.map((send) => send.first + send.count));
    const send: Send = {
      producer,
      partition,
      first,
      count: random.from(1, 6),
      outcome: 'unknown',
      at: world.stoppedAt,
    };
    send.outcome = appendBatch(world, send, world.stoppedAt - 50);
    world.sends.push(send);
  }
  return {
    records: tail.filter((entry) => typeof entry !== 'string').length,
    acked: acked.reduce((sum, { count }) => sum + count, 0),
  };
}

/** A producer sends nothing from a moment on. */
function silence(world: World, silent: number, from: number): void {
  const kept = world.sends.filter(({ producer, at }) => producer !== silent || at < from);
  const gone = new Set(world.sends.filter((send) => !kept.includes(send)));
  world.sends = kept;
  const isGone = (entry: Entry, partition: number) =>
    [...gone].some(
      (send) =>
        send.partition === partition &&
        isOf(entry, silent) &&
        entry.sequence >= send.first &&
        entry.sequence < send.first + send.count,
    );
  world.logs = world.logs.map((log, partition) =>
    log.map((entry) => (isGone(entry, partition) ? 'marker' : entry)),
  );
}

/** From a moment on, a producer's records carry another time. */
function stepDue(
  world: World,
  random: Random,
  how: {
    by: number;
    newestAlone: boolean;
    isStep: (before: number | undefined, due: number, from: number) => boolean;
  },
): Mutant | undefined {
  const { producer, at } = random.pick(world.sends);
  let steps = 0;
  for (const log of world.logs) {
    let before: number | undefined;
    let newest = -1;
    for (const entry of log) {
      if (!isOf(entry, producer) || (how.newestAlone && entry.sequence < newest)) continue;
      if (how.isStep(before, entry.due, at)) steps++;
      before = entry.due;
      newest = Math.max(newest, entry.sequence);
    }
  }
  if (steps === 0) return undefined;
  world.logs = world.logs.map((log) =>
    log.map((entry) =>
      isOf(entry, producer) && entry.due >= at ? { ...entry, due: entry.due + how.by } : entry,
    ),
  );
  return { steps: readingOf(world, random), expected: { 'clock-step': steps } };
}

function isOf(entry: Entry, producer: number): entry is Exclude<Entry, string> {
  return typeof entry !== 'string' && entry.producer === producer;
}

function isRecord(step: Step): boolean {
  return step.kind === 'record';
}
