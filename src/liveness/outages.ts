import { type PartitionOutage, type PartitionOutages, partitionOf } from '../experiment/outage.ts';

/** The shortest silence that is called an outage: shorter ones are a broker's garbage collection, or too few probes. ms */
export function floorMs(stepMs: number): number {
  return Math.max(40, 4 * stepMs);
}

/** An answer that took longer than this did not come in time, however steadily such answers come. ms */
const inTimeMs = 10_000;

/** Only the longest of a partition are kept one by one, and of all partitions those are told. */
const maxLongest = 500;

/** Beside them the latest of a partition: a kill asks for the outage that it has just made, however many longer ones there were. */
const maxLatest = 100;

/** A report holds so many of each partition, however much longer those of others were. */
const leastOfEach = 10;

/** One answer of the leader. Times by a monotonic clock, ms. */
export interface Served {
  /** Which connection it came on; any value that tells connections apart. */
  lane: unknown;
  sentAt: number;
  at: number;
  /** When the probes of the partition that still wait on that connection were sent, oldest first. */
  readonly waiting: readonly number[];
}

/** What is known of the outages so far. */
export interface OutageMeter {
  /** A round of probes is due and sent. */
  beat(at: number): void;
  served(answer: Served): void;
  /** A broker that served said that it does not lead, or its connection was ended: silence that no delay explains. */
  denied(how: 'refusal' | 'cut'): void;
  /** Nothing more will come on a connection. */
  ended(lane: unknown): void;
  /** Those that are over and still kept, in the order of their ends, and the one that is not. */
  outages(now: number): PartitionOutage[];
  /** Number and sum of all, also of those no longer kept one by one. */
  totals(now: number): { count: number; totalMs: number };
  /** Time in which nothing was asked or heard because the prober itself paused, ms. */
  readonly blindMs: number;
}

/** A silence that is over, of which later answers will tell whether it was an outage or added delay. */
interface Question {
  lane: unknown;
  from: number;
  to: number;
  how: PartitionOutage['how'];
  firstSentAt: number;
  lastSentAt: number;
  latest: { sentAt: number; at: number };
}

/**
 * Tells outages from the answers to probes sent at a fixed step. A partition outage reaches from the arrival of the last answer
 * before a silence to the arrival of the first after it: it contains the true one, whatever the latency, and is longer by less
 * than a step where the connection held.
 *
 * Added delay makes a silence too, as long as the delay, but then every probe waits equally long. After an outage those sent late
 * in it have waited less: all are answered at once. The last probe sent in the silence decides, or one on another connection: a
 * broker that is busy answers what has piled up on one connection slowly, one after the other.
 */
export function outageMeter(stepMs: number, epochOf: (at: number) => number): OutageMeter {
  const floor = floorMs(stepMs);
  const kept: PartitionOutage[] = [];
  const totals = { count: 0, totalMs: 0 };
  let questions: Question[] = [];
  let last: Served | undefined;
  let beats = 0;
  let beatAt: number | undefined;
  let pausedMs = 0;
  let how: PartitionOutage['how'] = 'silence';
  let blindMs = 0;

  function add(from: number, to: number, seen: PartitionOutage['how']): void {
    totals.count++;
    totals.totalMs += to - from;
    kept.push({ at: epochOf(from), ms: round(to - from), how: seen });
    if (kept.length <= maxLongest + maxLatest) return;
    const older = kept.slice(0, -maxLatest);
    const shortest = older.reduce((least, outage) => (outage.ms < least.ms ? outage : least));
    kept.splice(kept.indexOf(shortest), 1);
  }

  /** Answers the open questions that this answer can answer. */
  function settle(answer: Served): void {
    questions = questions.filter((question) => {
      if (question.lane !== answer.lane) return !settledBeside(question, answer);
      question.latest = answer;
      return answer.sentAt < question.lastSentAt || decide(question);
    });
  }

  /** Asked in the silence on another connection and answered much sooner than the silence took: delay would have kept it as long. */
  function settledBeside({ from, to, how }: Question, { sentAt, at }: Served): boolean {
    const told = sentAt > from && sentAt < to && at - sentAt < (to - from) / 2;
    if (told) add(from, to, how);
    return told;
  }

  /** By the latest answer on that connection: has it caught up with the first? */
  function decide({ from, to, how, firstSentAt, latest }: Question): false {
    const sentLater = latest.sentAt - firstSentAt;
    if (sentLater === 0 || latest.at - to < sentLater / 2) add(from, to, how);
    return false;
  }

  function judge({ lane, sentAt, at, waiting }: Served, before: Served): void {
    const from = before.at;
    const silence = at - from;
    // A broker answers in order: between two answers on one connection nothing else was asked.
    const unasked = lane === before.lane && how === 'silence' ? sentAt - before.sentAt - stepMs : 0;
    // An answer that is read right after a pause of our own may have come at any time of it.
    const heard = silence - Math.max(0, unasked) - pausedMs;
    if (heard < floor || beats * stepMs < silence / 4) return;
    const late = sentAt > from + silence / 2;
    if (how !== 'silence' || late || at - sentAt > inTimeMs || waiting.length < 2) {
      add(from, at, how);
      return;
    }
    const lastSentAt = waiting.findLast((sent) => sent <= sentAt + silence) ?? at;
    questions.push({ lane, from, to: at, how, firstSentAt: sentAt, lastSentAt, latest: { sentAt, at } });
  }

  /** An outage that is not over: certain where the partition was denied, or where any delay would be too long. */
  function open(now: number): PartitionOutage[] {
    const silence = last ? now - last.at : 0;
    if (!last || silence < floor) return [];
    if (beats * stepMs < silence / 4 || (how === 'silence' && silence < inTimeMs)) return [];
    return [{ at: epochOf(last.at), ms: round(silence), how, open: true }];
  }

  return {
    beat(at) {
      beats++;
      pausedMs = Math.max(0, at - (beatAt ?? at) - stepMs);
      if (pausedMs > 2 * stepMs) blindMs += pausedMs;
      beatAt = at;
    },
    served(answer) {
      settle(answer);
      if (last && answer.at - last.at >= floor) judge(answer, last);
      last = answer;
      beats = 0;
      how = 'silence';
    },
    denied(seen) {
      if (how === 'silence') how = seen;
    },
    ended(lane) {
      questions = questions.filter((question) => question.lane !== lane || decide(question));
    },
    outages: (now) => [...kept, ...open(now)],
    totals(now) {
      const [current] = open(now);
      return { count: totals.count + (current ? 1 : 0), totalMs: round(totals.totalMs + (current?.ms ?? 0)) };
    },
    get blindMs() {
      return round(blindMs);
    },
  };
}

/** Those that reach beyond a moment (epoch ms), in the order of their ends: the longest of all, and the longest of each partition. */
export function outagesSince(outages: PartitionOutage[], since: number): PartitionOutage[] {
  const told = new Map<number, number>();
  return outages
    .filter(({ at, ms }) => at + ms >= since)
    .sort((a, b) => b.ms - a.ms)
    .filter((outage, longer) => {
      const partition = partitionOf(outage);
      const ofIt = (told.get(partition) ?? 0) + 1;
      told.set(partition, ofIt);
      return longer < maxLongest || ofIt <= leastOfEach;
    })
    .sort((a, b) => a.at + a.ms - (b.at + b.ms));
}

/** The longest twenty, in the order of time. */
export function longestOutages(outages: PartitionOutage[]): Pick<PartitionOutages, 'longest' | 'longestMs'> {
  const longest = [...outages].sort((a, b) => b.ms - a.ms).slice(0, 20);
  return { longestMs: longest[0]?.ms ?? 0, longest: longest.sort((a, b) => a.at - b.at) };
}

/** Tenths of a millisecond. */
function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
