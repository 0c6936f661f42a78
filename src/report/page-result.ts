import { type KillRecord, wasCarriedOut } from '../experiment/kill-record.ts';
import type { ChaosResult } from '../experiment/result.ts';
import { detailColumns, type StreamSeries } from '../experiment/series.ts';
import { tellingKills } from './telling-kills.ts';

/**
 * A result as a page holds it: whole, but of the kills that are in the table alone, and of the stream's parts, no more than their picture
 * needs.
 */
export function pageResult(result: ChaosResult): object {
  const told = new Set(tellingKills(result.kills).told);
  const { kills, parts } = result;
  return {
    ...result,
    kills: kills.map((kill) => (told.has(kill) ? kill : drawn(kill))),
    ...(parts
      ? {
          parts: parts.map(({ series, ...part }) => ({
            ...part,
            ...(series ? { series: lines(series) } : {}),
          })),
        }
      : {}),
  };
}

/** Without what is long and differs from kill to kill: ids and proofs. */
function drawn({ plan, act, proof, index, deadline, status }: KillRecord): object {
  const { broker, leader, isr, replicas, guardWaitMs } = plan ?? {};
  const { processGoneAt, newLeader, newLeaderAt, timeToNewLeaderMs, timeToFullIsrMs } = proof ?? {};
  const goneAt = processGoneAt ?? proof?.podGoneAt;
  return {
    ...{ index, deadline, status },
    ...(plan ? { plan: { broker, leader, isr, replicas, deadline: plan.deadline, guardWaitMs } } : {}),
    ...(wasCarriedOut(act) ? { act: { outcome: act.outcome, requestedAt: act.requestedAt } } : { act }),
    ...(proof
      ? { proof: { processGoneAt: goneAt, newLeader, newLeaderAt, timeToNewLeaderMs, timeToFullIsrMs } }
      : {}),
  };
}

function lines({ columns, ...series }: StreamSeries): StreamSeries {
  const names = detailColumns.filter((name) => name !== 'receivedMin' && columns[name]);
  return { ...series, columns: Object.fromEntries(names.map((name) => [name, columns[name]])) };
}
