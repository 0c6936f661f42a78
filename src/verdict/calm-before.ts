import { wasCarriedOut } from '../experiment/kill-record.ts';
import type { Evidence } from '../experiment/result.ts';
import { type SloId, sloLimits } from '../experiment/slo.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { figure } from './words.ts';

/** A time without service that would make the run Fail. */
interface Outage {
  what: string;
  /** Epoch ms, the pod's clock. */
  began: number;
  evidence: string[];
}

/** Between the last record and a kill lies a record's own distance, and the difference of two clocks. ms */
const clocksMs = 2_000;

/** An outage that is older than the first kill is not the chaos' doing, and what comes of it not the chaos' effect. */
export function calmBefore(evidence: Evidence): VerdictLine {
  const line = {
    id: 'calm-before',
    gate: true,
    what: 'the stream flowed until the first kill',
    required: 'no outage before it',
  } as const;
  const { kills, experiment } = evidence;
  const first = Math.min(...kills.map(({ act }) => (wasCarriedOut(act) ? act.requestedAt : Infinity)));
  const distanceMs = clocksMs + 1_000 / (experiment?.liveness.ratePerSecond ?? 1);
  const older = outagesOf(evidence).find(({ began }) => began < first - distanceMs);
  if (!older) return { ...line, observed: 'none', outcome: 'met', because: [] };
  const before = Number.isFinite(first)
    ? `${figure(first - older.began, 'ms')} before the first kill`
    : 'though nothing was killed';
  const because = [`${older.what} ${before}: not by this chaos`, ...older.evidence];
  return { ...line, observed: before, outcome: 'not met', leadsTo: 'Inconclusive', because };
}

function outagesOf({ stream, experiment }: Evidence): Outage[] {
  if (!stream) return [];
  const { silence, producerOutages = [], longestSilenceAt, longestSilenceMs } = stream;
  const outages: Outage[] = [];
  if (silence?.confirmed === 'outage') {
    const began = Date.parse(silence.at) - silence.silentMs;
    outages.push({ what: 'the stream had stopped', began, evidence: silence.evidence });
  }
  const limits = new Map<SloId, number>(
    experiment ? sloLimits(experiment).map(({ id, limit }) => [id, limit]) : [],
  );
  const exceeds = (id: SloId, ms: number) => ms > (limits.get(id) ?? Infinity);
  for (const { at, ms } of producerOutages) {
    if (!exceeds('producer-outage-max', ms)) continue;
    outages.push({ what: `a producer outage of ${figure(ms, 'ms')} had begun`, began: at, evidence: [] });
  }
  if (longestSilenceAt && exceeds('consumer-silence', longestSilenceMs)) {
    const what = `a silence at the consumer of ${figure(longestSilenceMs, 'ms')} had begun`;
    outages.push({ what, began: Date.parse(longestSilenceAt), evidence: [] });
  }
  return outages;
}
