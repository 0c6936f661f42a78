import { condition, proxyActivities } from '@temporalio/workflow';
import type { PromotionActivities } from '../../activities/contract.ts';
import { millisecondsOf } from '../../experiment/durations.ts';
import { answersTo, type WaitsFor } from '../../experiment/promotion/answers.ts';
import type { Gate, GateOf } from '../../experiment/promotion/promotion.ts';
import type { GateRecord, StageRecord } from '../../experiment/promotion/record.ts';
import { repeatAfter, repeatsOf } from '../../experiment/promotion/size.ts';
import { tellNews } from './news.ts';
import { runAll } from './runs.ts';
import { note, type Place, type PromotionStory, stamp } from './story.ts';

/** Why a stage does not go on; `expired`: nobody can do anything about it any more. */
export interface Lack {
  reason: string;
  expired?: boolean;
}

const { nextOpening } = proxyActivities<Pick<PromotionActivities, 'nextOpening'>>({
  startToCloseTimeout: '1m',
  summary: 'when the window opens',
});

/** Waits at a gate until it opens, by itself, by people or by an override; or gives why it will not. */
export async function waitAt(story: PromotionStory, place: Place, gate: Gate): Promise<Lack | undefined> {
  const { record } = place;
  const here: GateRecord = { kind: gate.kind, attempt: record.attempt, since: stamp(), approvals: [] };
  record.gates.push(here);
  record.state = 'waiting';
  const lack = await opened(story, place, gate, here);
  delete record.answers;
  if (lack) return lack;
  here.openedAt = stamp();
  const { answer } = story;
  if (answer?.request === 'override') {
    here.how = `overridden by ${answer.actor}: ${answer.reason}`;
    delete story.answer;
  }
  note(story, `gate ${gate.kind} open${here.how ? `: ${here.how}` : ''}`, record.name);
  return undefined;
}

async function opened(
  story: PromotionStory,
  place: Place,
  gate: Gate,
  here: GateRecord,
): Promise<Lack | undefined> {
  switch (gate.kind) {
    case 'auto':
      return undefined;
    case 'approval':
      return await approved(story, place, gate, here);
    case 'soak':
      return await soaked(story, place, gate, here);
    case 'window':
      return await inWindow(story, place, gate, here);
  }
}

async function approved(
  story: PromotionStory,
  { record }: Place,
  gate: GateOf<'approval'>,
  here: GateRecord,
): Promise<Lack | undefined> {
  const { needed, approvers, expires, fourEyes } = gate;
  const forMs = millisecondsOf(expires);
  here.until = stamp(Date.now() + forMs);
  const { startedBy } = story.record;
  const names = approvers.map(({ name }) => name).filter((name) => !fourEyes || name !== startedBy);
  const asked = `${needed} of ${names.join(', ')}`;
  here.how = asked;
  tellWaiting(story, record, gate, `waits for approval by ${asked} until ${here.until}`);
  const enough = await condition(() => here.approvals.length >= needed, forMs, {
    summary: `until the approval of ${record.name} expires`,
  });
  if (!enough)
    return {
      reason: `${here.approvals.length} of ${needed} approvals came within ${expires}`,
      expired: true,
    };
  here.how = `approved by ${here.approvals.map(({ actor, role }) => (role ? `${actor} (${role})` : actor)).join(', ')}`;
  return undefined;
}

/** Repeats the stage's experiments at the interval; the last repeat is at the end of the duration, or as soon after it as can be. */
async function soaked(
  story: PromotionStory,
  place: Place,
  gate: GateOf<'soak'>,
  here: GateRecord,
): Promise<Lack | undefined> {
  const { duration, every } = gate;
  const { record } = place;
  const begin = Date.now();
  const end = begin + millisecondsOf(duration);
  const repeats = repeatsOf(gate);
  here.until = stamp(end);
  tellWaiting(story, record, gate, `soaks until ${here.until}, repeated every ${every}`);
  let leftOut = 0;
  for (let repeat = 1, passed = 0; repeat <= repeats; ) {
    const due = Math.min(end, begin + repeat * millisecondsOf(every));
    if (await overridden(story, due - Date.now(), `until repeat ${repeat} of ${record.name}`))
      return undefined;
    const { answers } = record;
    record.state = 'running';
    // Nothing can be overridden while it runs.
    delete record.answers;
    const lack = await runAll(story, place, 'soak');
    record.state = 'waiting';
    record.answers = answers;
    if (lack) return { reason: `repeat ${repeat} of the soak: ${lack}` };
    passed++;
    const next = repeatAfter(repeat, gate, Date.now() - begin);
    leftOut += next - repeat - 1;
    repeat = next;
    here.how = soakText(passed, repeats - leftOut, leftOut);
  }
  return undefined;
}

function soakText(passed: number, planned: number, leftOut: number): string {
  const out = leftOut > 0 ? `, ${leftOut} left out: the one before was not over` : '';
  return `${passed} of ${planned} repeats passed${out}`;
}

async function inWindow(
  story: PromotionStory,
  { record }: Place,
  gate: GateOf<'window'>,
  here: GateRecord,
): Promise<Lack | undefined> {
  const { kind: _kind, expires, ...times } = gate;
  const now = Date.now();
  const expiresAt = expires === undefined ? undefined : now + millisecondsOf(expires);
  const opensAt = await nextOpening({ times, now });
  const waitUntil = Math.min(opensAt ?? Number.POSITIVE_INFINITY, expiresAt ?? Number.POSITIVE_INFINITY);
  if (!Number.isFinite(waitUntil)) return { reason: 'the window does not open within a year' };
  if (waitUntil > now) {
    here.until = stamp(waitUntil);
    tellWaiting(story, record, gate, `waits for its window until ${here.until}`);
    if (await overridden(story, waitUntil - now, `until the window of ${record.name} opens`))
      return undefined;
  }
  return opensAt === waitUntil
    ? undefined
    : { reason: `the window did not open within ${expires}`, expired: true };
}

/** Says that a stage waits, and what people can do about it. */
export function tellWaiting(
  story: PromotionStory,
  record: StageRecord,
  waitsFor: WaitsFor,
  text: string,
): void {
  const { promotion } = story.checked ?? {};
  const commands = promotion
    ? answersTo(promotion, story.record.promotion.workflowId, record.name, waitsFor)
    : [];
  record.answers = commands;
  note(story, text, record.name);
  tellNews(story, 'waiting', `${record.name} ${text}`, { stage: record.name, commands });
}

/** Waits so long, unless somebody overrides. */
async function overridden(story: PromotionStory, ms: number, summary: string): Promise<boolean> {
  return await condition(() => story.answer !== undefined, Math.max(1, ms), { summary });
}
