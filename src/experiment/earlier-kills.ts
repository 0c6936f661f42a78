import { faultSpans } from './fault-spans.ts';
import { type KillRecord, type KillsElsewhere, wasCarriedOut } from './kill-record.ts';
import { packSpans, unpackSpans } from './spans.ts';

/** Kills that did not go as planned whose records are carried on; more would not fit, and the first ones tell most. */
const maxTroubles = 4;

/** Facts of a proof that are carried on; the others stay in the history that the kill was made in. */
const maxFacts = 2;

/** Of each text. */
const maxText = 200;

/** What a run knows of the kills of its earlier histories. */
export interface EarlierKills {
  /** What the verdict may need to see: the first, the slowest of each kind, and some of those that did not go as planned. */
  notable: KillRecord[];
  /** How many there were besides. */
  elsewhere: KillsElsewhere;
  /** When their faults could be felt, as `packSpans` gives it. */
  spans: string;
}

/** Sums up kills that are over, with what was known of those before them. `until`: epoch ms, the next kill's deadline. */
export function sumUp(
  earlier: EarlierKills | undefined,
  kills: readonly KillRecord[],
  until: number,
): EarlierKills {
  const all = [...(earlier?.notable ?? []), ...kills];
  const kept = new Set([
    ...all.filter(({ act }) => wasCarriedOut(act)).slice(0, 1),
    ...slowest(all.filter(killedLeader), ({ proof }) => proof?.timeToNewLeaderMs),
    ...slowest(all.filter(killedReplica), ({ proof }) => proof?.timeToFullIsrMs),
    ...all.filter(({ proof }) => proof?.foreign).slice(0, 1),
    ...all.filter(({ status }) => status !== 'proven').slice(0, maxTroubles),
  ]);
  const elsewhere = { proven: 0, unproven: 0, skipped: 0, ...earlier?.elsewhere };
  for (const kill of all) if (!kept.has(kill)) elsewhere[kill.status]++;
  const spans = [...unpackSpans(earlier?.spans ?? ''), ...faultSpans(kills, [], until)];
  return { notable: all.filter((kill) => kept.has(kill)).map(trimmed), elsewhere, spans: packSpans(spans) };
}

/** The kill that took longest, and one of those of which it is not known: that one makes the figure a lower bound. */
function slowest(kills: KillRecord[], msOf: (kill: KillRecord) => number | undefined): KillRecord[] {
  const longest = kills.reduce<KillRecord | undefined>(
    (most, kill) => ((msOf(kill) ?? -1) > ((most && msOf(most)) ?? -1) ? kill : most),
    undefined,
  );
  const unseen = kills.find((kill) => msOf(kill) === undefined);
  return [longest, unseen].filter((kill) => kill !== undefined);
}

function trimmed(kill: KillRecord): KillRecord {
  const { reason, plan, proof } = kill;
  return {
    ...kill,
    ...(reason === undefined ? {} : { reason: reason.slice(0, maxText) }),
    ...(plan
      ? {
          plan: {
            ...plan,
            guardReasons: plan.guardReasons.slice(-maxFacts).map((text) => text.slice(0, maxText)),
          },
        }
      : {}),
    ...(proof
      ? {
          proof: {
            ...proof,
            evidence: proof.evidence.slice(0, maxFacts),
            ...(proof.expectedOutage
              ? {
                  expectedOutage: {
                    ...proof.expectedOutage,
                    because: proof.expectedOutage.because.slice(0, maxFacts),
                  },
                }
              : {}),
          },
        }
      : {}),
  };
}

/** Whether a kill was carried out on the stream's leader. */
export function killedLeader({ act, plan }: Pick<KillRecord, 'act' | 'plan'>): boolean {
  return wasCarriedOut(act) && plan !== undefined && plan.broker === plan.leader;
}

/** Whether a kill was carried out on a replica of the stream. */
export function killedReplica({ act, plan }: Pick<KillRecord, 'act' | 'plan'>): boolean {
  return wasCarriedOut(act) && plan?.replicas.includes(plan.broker) === true;
}

/** How many kills came to that, those included whose records are elsewhere. */
export function countKills(
  { kills, killsElsewhere }: { kills: readonly KillRecord[]; killsElsewhere?: KillsElsewhere },
  status: KillRecord['status'],
): number {
  return kills.filter((kill) => kill.status === status).length + (killsElsewhere?.[status] ?? 0);
}
