import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import { type AskedKill, killBudgetId, type Taken, type TakenKill } from '../experiment/kill-budget.ts';

type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/**
 * The kills that a counter which is over has granted, out of its history: those that it began with, and each update that was answered.
 * An answer that nobody has received is in there too, and none that was not given.
 */
export async function countedKills(client: Client, runId: string): Promise<TakenKill[]> {
  const converter = client.options.loadedDataConverter;
  const first = async (payloads: Payloads) =>
    (await decodeArrayFromPayloads(converter, payloads?.payloads))[0];
  const { events } = await client.workflow.getHandle(killBudgetId, runId).fetchHistory();
  const taken = new Map<string, number>();
  const asked = new Map<string, { key: string; at: number }>();
  for (const event of events ?? []) {
    const {
      workflowExecutionStartedEventAttributes: started,
      workflowExecutionUpdateAcceptedEventAttributes: accepted,
      workflowExecutionUpdateCompletedEventAttributes: answered,
    } = event;
    if (started) {
      const before = ((await first(started.input)) ?? []) as TakenKill[];
      for (const { key, at } of before) taken.set(key, at);
    }
    if (accepted?.acceptedRequest) {
      const { meta, input } = accepted.acceptedRequest;
      const { key } = (await first(input?.args)) as AskedKill;
      asked.set(meta?.updateId ?? '', { key, at: msOf(event.eventTime) });
    }
    const kill = answered && asked.get(answered.meta?.updateId ?? '');
    if (!kill || taken.has(kill.key)) continue;
    const answer = (await first(answered.outcome?.success)) as Taken | undefined;
    if (answer?.granted) taken.set(kill.key, kill.at);
  }
  return [...taken].map(([key, at]) => ({ key, at })).sort((a, b) => a.at - b.at);
}

function msOf(time: temporal.api.history.v1.IHistoryEvent['eventTime']): number {
  return Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1_000_000;
}
