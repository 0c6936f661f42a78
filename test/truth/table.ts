import type { PartitionOutage } from '../../src/experiment/outage.ts';
import type { LeaderChange } from './leader-change.ts';
import type { Made, Truth } from './rig.ts';

/** A pause and an outage this near to each other may be one. ms */
const marginMs = 10;

/** What the leader is asked so soon after an outage waited for its end. ms */
const touchMs = 1;

/** Quantiles of some values. */
export interface Spread {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

/** Nearest rank, so that each is a value that was seen; undefined where there are none. */
export function spreadOf(values: number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return sorted.length === 0
    ? undefined
    : { count: sorted.length, p50: rank(0.5), p99: rank(0.99), max: rank(1) };
}

/** Length of a made disturbance, ms. */
export function trueMs({ span }: Made): number {
  return span.to - span.from;
}

/** By how much the reported outage is longer than the made one. ms */
export function errorOf(made: Made): number | undefined {
  const [seen] = matches(made);
  return seen ? seen.ms - trueMs(made) : undefined;
}

/**
 * The outage as it was in truth: what was made, with the pauses of the leader itself, by the proxy's account, that run into it or go
 * on from it.
 */
export function withLeadersPauses({ pauses }: Pick<Truth, 'pauses'>, made: Made): Made {
  const { from, to } = made.span;
  const leaders = pauses.filter(({ who }) => who === 'leader');
  // No further than those: between two pauses the leader has answered.
  const before = leaders.filter((pause) => pause.from < from && pause.to >= from);
  const after = leaders.filter((pause) => pause.from <= to + touchMs && pause.to > to);
  return {
    ...made,
    span: {
      from: Math.min(from, ...before.map((pause) => pause.from)),
      to: Math.max(to, ...after.map((pause) => pause.to)),
    },
  };
}

/** The reported outage that is the made one: all but the ends of it. */
export function matches(made: Made): PartitionOutage[] {
  const { from, to } = made.span;
  return made.reported.filter(({ at, ms }) => Math.min(to, at + ms) - Math.max(from, at) > (to - from) / 2);
}

/** True where leader, proxy or observer paused by themselves around that time: what was made is not all that happened. */
export function isDisturbed(truth: Truth, { at, ms }: { at: number; ms: number }): boolean {
  return truth.pauses.some(({ from, to }) => from < at + ms + marginMs && to > at - marginMs);
}

/** The shortest outage that is reported whatever the machine does beside it: twice the shortest that counts. ms */
const surelySeenMs = 80;

/** How much of an outage is left without the time in which leader, proxy or observer paused. ms */
export function undisturbedMs(
  { pauses }: Pick<Truth, 'pauses'>,
  { at, ms }: { at: number; ms: number },
): number {
  let left = ms;
  let counted = at;
  for (const { from, to } of [...pauses].sort((a, b) => a.from - b.from)) {
    const begin = Math.max(from, counted);
    const end = Math.min(to, at + ms);
    if (end <= begin) continue;
    left -= end - begin;
    counted = end;
  }
  return left;
}

/**
 * Each kind of outage, as the command prints it: all of them against what was made, against that with the leader's own pauses, and
 * those in which nobody paused.
 */
export function tableOf(truth: Truth): string {
  const rows = [['black-hole'], ['reset'], ['black-hole', 'reset'], ['void']].flatMap((kinds) => {
    const made = truth.made.filter(({ planned }) => kinds.includes(planned.kind));
    const calm = made.filter(({ span }) => !isDisturbed(truth, { at: span.from, ms: span.to - span.from }));
    if (made.length === 0 || new Set(made.map(({ planned }) => planned.kind)).size < kinds.length) return [];
    return [
      rowOf(kinds.join(' + '), made),
      rowOf(
        '– with the leader’s own pauses',
        made.map((one) => withLeadersPauses(truth, one)),
      ),
      rowOf('– of these, without any pause', calm),
    ];
  });
  const clients = ['producer p50', 'max', 'consumer p50', 'max'];
  const head = ['outage', 'made', 'seen once', 'error p50', 'p99', 'max', ...clients];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function rowOf(name: string, made: Made[]): string[] {
  const once = made.filter((one) => matches(one).length === 1).length;
  return [name, `${made.length}`, `${once}`, ...errors(made), ...clientErrors(made)];
}

function errors(made: Made[]): string[] {
  // A report that is too short is as wrong as one that is too long.
  const spread = spreadOf(made.flatMap((one) => errorOf(one) ?? []).map(Math.abs));
  return spread ? [spread.p50, spread.p99, spread.max].map((ms) => `${ms.toFixed(1)} ms`) : ['–', '–', '–'];
}

function clientErrors(made: Made[]): string[] {
  const over = (name: 'producerMs' | 'consumerMs') =>
    spreadOf(made.flatMap((one) => (one[name] === undefined ? [] : [one[name] - trueMs(one)])));
  return [over('producerMs'), over('consumerMs')].flatMap((spread) =>
    spread ? [`+${Math.round(spread.p50)} ms`, `+${Math.round(spread.max)} ms`] : ['–', '–'],
  );
}

/**
 * What is wrong, as far as no pause of leader, proxy or observer explains it: one that was made is explained only where the pauses
 * leave too little of it, for a long one has room for any number of short pauses. Outages shorter than `atLeastMs` are left aside: a
 * machine can pause for so long without any of the three noticing.
 */
export function wrongIn(truth: Truth, atLeastMs = 0): { missed: number; invented: number; delays: number } {
  const unexplained = (outage: { at: number; ms: number }) =>
    outage.ms >= atLeastMs && !isDisturbed(truth, outage);
  const spanOf = ({ span }: Made) => ({ at: span.from, ms: span.to - span.from });
  const delays = truth.made.filter(({ planned }) => planned.kind === 'delay');
  const outages = truth.made.filter(({ planned }) => planned.kind !== 'delay');
  return {
    missed: outages
      .map((made) => [matches(made).length, spanOf(made)] as const)
      .filter(
        ([seen, span]) =>
          seen !== 1 &&
          (unexplained(span) || (span.ms >= atLeastMs && undisturbedMs(truth, span) >= surelySeenMs)),
      ).length,
    invented: truth.unmade.filter(unexplained).length,
    // What pauses while a delay is in force is felt so much later.
    delays: delays.flatMap(({ planned, reported }) =>
      reported.filter(({ at, ms }) => {
        const { delayMs = 0 } = planned;
        return unexplained({ at: at - delayMs, ms: ms + delayMs });
      }),
    ).length,
  };
}

/** What else there is to tell, in lines. */
export function factsOf(truth: Truth, stepMs: number): string {
  const { probes, cpuShare, unmade, made } = truth;
  const { missed, invented, delays } = wrongIn(truth);
  const delaysMade = made.filter(({ planned }) => planned.kind === 'delay').length;
  return [
    `probes every ${stepMs} ms: ${probes.sent}, the latest by ${probes.worstLateMs} ms; observer on ${(cpuShare * 100).toFixed(1)} % of a core`,
    `pauses of ${whoPaused(truth)}`,
    `without a pause of leader, proxy or observer that explains it:`,
    `  outages not seen once: ${missed}`,
    `  outages reported that nobody made: ${invented} (with one: ${unmade.length - invented})`,
    `  delays reported as an outage: ${delays} of ${delaysMade}`,
  ].join('\n');
}

/** Number and greatest length of the pauses, by who paused. */
function whoPaused({ pauses }: Truth): string {
  const who = ['leader', 'proxy', 'observer'] as const;
  return who
    .map((one) => {
      const lengths = pauses.filter((pause) => pause.who === one).map(({ from, to }) => to - from);
      return `the ${one}: ${lengths.length}${lengths.length > 0 ? `, up to ${Math.max(...lengths).toFixed(0)} ms` : ''}`;
    })
    .join('; ');
}

/** How soon changes of leader were seen after the new leader's own log had them. */
export function changesText(changes: LeaderChange[]): string {
  const seen = changes.flatMap(({ loggedAt, seenAt }) => (seenAt === undefined ? [] : [seenAt - loggedAt]));
  const after = spreadOf(seen);
  if (!after) return 'changes of leader: none made';
  const { p50, p99, max } = after;
  return `changes of leader: ${changes.length} logged, ${seen.length} seen, after p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`;
}
