import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  workflowInfo,
} from '@temporalio/workflow';
import type { KillContext } from '../activities/contract.ts';
import { countKills, type EarlierKills, sumUp } from '../experiment/earlier-kills.ts';
import type { TimelineEntry } from '../experiment/result.ts';
import { maxKillsOfHistory } from '../experiment/schedule.ts';
import { type Story, tell } from './story.ts';
import { leadMsOf } from './until-due.ts';

/** A history that people or retries have filled is left before it is full of kills. */
const manyEvents = 3_000;

/** A new history has begun after this. ms */
const borderMs = 2_000;

/** Of the timeline, so much is carried on: its beginning, and the newest. */
const maxEntries = 40;
const maxEntryText = 160;

/** What a run takes along into a new history: some 20 KiB after a day of one kill a minute. */
export interface Carried
  extends KillContext,
    Pick<Story, 'startedAt' | 'steering' | 'scheduledBy' | 'pauseOn' | 'lastActAt' | 'partsUntil'> {
  timeline: TimelineEntry[];
  earlier: EarlierKills;
}

/**
 * Goes on in a new history where this one holds enough. Called between two kills only: then nothing is under way that a second
 * history could meet again. `until`: epoch ms, the next deadline. A request that comes at this very moment makes Temporal refuse the
 * change, and is met by this history first.
 */
export async function continueWhereDue(
  input: unknown,
  context: KillContext,
  story: Story,
  until: number,
): Promise<void> {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  const full =
    story.kills.length >= maxKillsOfHistory || historyLength > manyEvents || continueAsNewSuggested;
  if (!full || story.kills.length === 0) return;
  await condition(allHandlersFinished);
  await partTaken(context, story, until);
  if (CancellationScope.current().consideredCancelled) return;
  tellPart(story);
  await continueAsNew(input, carriedOf(context, story, until) satisfies Carried);
}

/**
 * Waits for the part of the stream that is being taken over, as long as the next kill leaves time for it. One that takes longer is left
 * to the new history, which takes over the same stretch again.
 */
async function partTaken({ resolved }: KillContext, story: Story, until: number): Promise<void> {
  if (!story.takingPart) return;
  // Histories of earlier builds have no such timer.
  if (!patched('part-holds-no-kill')) return await story.takingPart;
  const leftMs = until - leadMsOf(resolved) - borderMs - Date.now();
  if (leftMs <= 0) return;
  const summary = 'for a part of the stream, at most until the new history has to begin';
  await condition(() => story.takingPart === undefined, leftMs, { summary });
}

/** What the kills of a run that goes on are given. */
export function contextOf({ resolved, kafka, liveness }: Carried): KillContext {
  return { resolved, kafka, liveness };
}

/** The story of a run that goes on, as its earlier histories left it. */
export function storyOf({ earlier, ...carried }: Carried): Story {
  return {
    ...carried,
    earlier,
    carriedEntries: carried.timeline.length,
    kills: [],
    changes: 0,
    step: 'kill',
  };
}

function tellPart(story: Story): void {
  const [first, last] = [story.kills[0], story.kills.at(-1)];
  const count = (status: 'proven' | 'unproven' | 'skipped') => countKills({ kills: story.kills }, status);
  tell(
    story,
    'kill',
    `kills ${(first?.index ?? 0) + 1} to ${(last?.index ?? 0) + 1}: ${count('proven')} proven, ${count('unproven')} unproven, ${count('skipped')} skipped; the run goes on in a new history`,
  );
}

function carriedOf({ resolved, kafka, liveness }: KillContext, story: Story, until: number): Carried {
  const { startedAt, steering, scheduledBy, pauseOn, lastActAt, partsUntil } = story;
  return {
    ...{ startedAt, steering, resolved, kafka, liveness },
    ...(scheduledBy === undefined ? {} : { scheduledBy }),
    ...(pauseOn === undefined ? {} : { pauseOn }),
    ...(lastActAt === undefined ? {} : { lastActAt }),
    ...(partsUntil === undefined ? {} : { partsUntil }),
    earlier: sumUp(story.earlier, story.kills, until),
    timeline: shortened(story),
  };
}

/** What single kills came to is in their records; what people did and where a history ended stays. */
function shortened({ timeline, carriedEntries = 0 }: Story): TimelineEntry[] {
  const kept = timeline.filter(({ text }, index) => index < carriedEntries || !/^kill \d+[ :]/.test(text));
  const [beginning, newest] = [kept.slice(0, maxEntries / 2), kept.slice(maxEntries / 2)];
  return [...beginning, ...newest.slice(-maxEntries / 2)].map((entry) => ({
    ...entry,
    text: entry.text.slice(0, maxEntryText),
  }));
}
