import type { KillRecord } from '../experiment/kill-record.ts';
import { type SloId, sloLimits } from '../experiment/slo.ts';
import type { Story } from './story.ts';

/** The figures that can be told while a run goes on, worst so far; ms. */
function figuresOf({ kills, stream }: Story): Partial<Record<SloId, number | undefined>> {
  const worst = (of: (kill: KillRecord) => number | undefined) => {
    const seen = kills.flatMap((kill) => of(kill) ?? []);
    return seen.length > 0 ? Math.max(...seen) : undefined;
  };
  return {
    'producer-outage-max': stream?.longestAckGapMs,
    'consumer-silence': stream?.longestSilenceMs,
    'time-to-new-leader': worst(({ proof }) => proof?.timeToNewLeaderMs),
    'time-to-full-isr': worst(({ proof }) => proof?.timeToFullIsrMs),
  };
}

/** Rows for a person: the stream's rates, and each limit of the verdict whose figure can be told already. */
export function soFar(story: Story): [string, string][] {
  const { resolved, stream } = story;
  if (!resolved) return [];
  const figures = figuresOf(story);
  const limits = sloLimits(resolved.experiment).flatMap(({ id, what, limit }): [string, string][] => {
    const value = figures[id];
    if (value === undefined) return [];
    return [[what, `${seconds(value)} of ${seconds(limit)}${value > limit ? ', **exceeded**' : ''}`]];
  });
  if (!stream) return limits;
  const { at, acked, ackRate, receiveRate } = stream;
  const rates = `${ackRate} acknowledged and ${receiveRate} received in a second at ${at.slice(11, 19)}`;
  return [['records', `${acked} acknowledged so far; ${rates}`], ...limits];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}
