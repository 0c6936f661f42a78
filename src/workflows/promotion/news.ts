import { ActivityFailure } from '@temporalio/common';
import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  proxyActivities,
  startChild,
} from '@temporalio/workflow';
import type { PromotionActivities } from '../../activities/contract.ts';
import { millisecondsOf } from '../../experiment/durations.ts';
import type { Hook } from '../../experiment/promotion/channel.ts';
import { bodyOf, type News } from '../../experiment/promotion/news.ts';
import { linkOf, note, type PromotionStory } from './story.ts';

/** Tells those who want to know, without waiting for it: whether it arrives changes nothing. */
export function tellNews(
  story: PromotionStory,
  kind: News['kind'],
  text: string,
  more: Pick<News, 'stage' | 'commands'> = {},
): void {
  const { record, checked } = story;
  const { name, subject, promotion } = record;
  const news: News = {
    kind,
    promotion: promotion.workflowId,
    name,
    subject,
    text,
    ...more,
    ...linkOf(story),
  };
  const channels = (checked?.promotion.notify ?? []).filter(({ on }) => on.includes(kind));
  for (const channel of channels) {
    const { url, urlFrom, secret } = channel;
    const { post } = proxyActivities<Pick<PromotionActivities, 'post'>>({
      startToCloseTimeout: '20s',
      scheduleToCloseTimeout: '10m',
      retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
      summary: `tell ${channel.kind}: ${kind}`,
    });
    const one = { to: channel.kind, kind, state: 'on its way' };
    story.news.push(one);
    const idempotencyKey = `${promotion.runId}/news/${story.news.length}`;
    // A stop is worth telling, and so is what came before it.
    CancellationScope.nonCancellable(() =>
      post({ endpoint: { url, urlFrom, secret }, body: bodyOf(channel, news), idempotencyKey }),
    ).then(
      () => {
        one.state = 'told';
      },
      (error: unknown) => {
        one.state = messageOf(error);
      },
    );
  }
}

/** Gives news that are on their way a last while, and notes what did not arrive. */
export async function endNews(story: PromotionStory): Promise<void> {
  await condition(() => story.news.every(({ state }) => state !== 'on its way'), '30s', {
    summary: 'for news on their way',
  });
  for (const { to, kind, state } of story.news)
    if (state !== 'told') note(story, `${to} was not told of "${kind}": ${state}`);
}

/** Carries the hooks out, all at once; how each went is in the record, and changes nothing else. */
export async function carryOutHooks(story: PromotionStory, hooks: Hook[]): Promise<void> {
  const outcomes = await Promise.all(
    hooks.map(async (hook, order) => {
      const done = await carryOut(story, hook, order).catch(
        (error: unknown) => `failed: ${messageOf(error)}`,
      );
      return { hook: hookText(hook, order), outcome: done };
    }),
  );
  story.record.hooks = outcomes;
  for (const { hook, outcome } of outcomes) note(story, `${hook}: ${outcome}`);
}

async function carryOut(story: PromotionStory, hook: Hook, order: number): Promise<string> {
  const { record } = story;
  const { workflowId, runId } = record.promotion;
  if (hook.kind === 'start') {
    const { workflowType, taskQueue, input = record } = hook;
    const id = hook.workflowId ?? `${workflowId}.hook.${order + 1}`;
    await startChild(workflowType, {
      workflowId: id,
      taskQueue,
      args: [input],
      parentClosePolicy: 'ABANDON',
    });
    return `started as ${id}`;
  }
  if (hook.kind === 'signal') {
    await getExternalWorkflowHandle(hook.workflowId).signal(hook.signal, hook.input ?? record);
    return 'signalled';
  }
  const { url, urlFrom, secret } = hook;
  const { post } = proxyActivities<Pick<PromotionActivities, 'post'>>({
    startToCloseTimeout: '20s',
    scheduleToCloseTimeout: millisecondsOf(hook.within),
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
    summary: hookText(hook, order),
  });
  const endpoint = { url, urlFrom, secret };
  const { status } = await post({ endpoint, body: record, idempotencyKey: `${runId}/hook/${order}` });
  return `answered ${status}`;
}

function hookText(hook: Hook, order: number): string {
  if (hook.kind === 'start') return `start of ${hook.workflowType}`;
  if (hook.kind === 'signal') return `signal ${hook.signal} to ${hook.workflowId}`;
  return `HTTP call ${order + 1}`;
}

function messageOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
