import { condition, proxyActivities } from '@temporalio/workflow';
import type { PromotionActivities } from '../../activities/contract.ts';
import { millisecondsOf } from '../../experiment/durations.ts';
import { judgeProof } from '../../experiment/promotion/proof.ts';
import type { Decision, PromotionRecord } from '../../experiment/promotion/record.ts';
import { type Lack, tellWaiting, waitAt } from './gates.ts';
import { tellNews } from './news.ts';
import { runAll } from './runs.ts';
import { note, type Place, type PromotionStory, stamp } from './story.ts';

/** How a promotion ends, and why. */
export interface End {
  outcome: Exclude<PromotionRecord['outcome'], 'Running'>;
  reason: string;
}

const { findRecord } = proxyActivities<Pick<PromotionActivities, 'findRecord'>>({
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '10m',
  summary: 'the record that is to prove it',
});

/**
 * Takes a stage through proof, runs and gates. What is lacking holds it, until people have it begun anew or let it go on, or its
 * time is over. Gives how the promotion ends; undefined where it goes on.
 */
export async function passStage(story: PromotionStory, place: Place): Promise<End | undefined> {
  const { stage, record } = place;
  const steps = [
    () => proven(story, place),
    () => run(story, place),
    ...stage.gates.map((gate) => () => waitAt(story, place, gate)),
  ];
  record.attempt = 1;
  // Decisions from here on are about this attempt.
  let begun = story.record.decisions.length;
  for (let next = 0; next < steps.length; ) {
    record.state = 'running';
    const lack = await steps[next]?.();
    if (!lack) {
      next++;
      continue;
    }
    record.lack = lack.reason;
    const answer = lack.expired ? undefined : await held(story, place);
    if (!answer) {
      record.state = 'not passed';
      return { outcome: lack.expired ? 'Expired' : 'Rejected', reason: `${stage.name}: ${lack.reason}` };
    }
    if (answer.request === 'override') {
      next++;
      continue;
    }
    delete record.lack;
    record.attempt++;
    begun = story.record.decisions.length;
    next = 0;
  }
  const inSpite = story.record.decisions.slice(begun).some(({ request }) => request === 'override');
  record.state = inSpite ? 'overridden' : 'passed';
  record.passedAt = stamp();
  note(story, record.state, stage.name);
  return undefined;
}

/** Holds a stage for people to decide; undefined where nobody does in time. */
async function held(story: PromotionStory, { stage, record }: Place): Promise<Decision | undefined> {
  const forMs = millisecondsOf(stage.hold);
  if (forMs === 0) return undefined;
  record.state = 'held';
  record.until = stamp(Date.now() + forMs);
  tellWaiting(story, record, { kind: 'held' }, `is held until ${record.until}: ${record.lack}`);
  await condition(() => story.answer !== undefined, forMs, { summary: `until ${stage.name} is rejected` });
  const { answer } = story;
  delete story.answer;
  delete record.until;
  delete record.answers;
  return answer;
}

async function run(story: PromotionStory, place: Place): Promise<Lack | undefined> {
  const { name } = place.stage;
  const reason = await runAll(story, place, 'stage');
  tellNews(story, 'verdict', reason ? `${name} did not pass: ${reason}` : `${name} passed its runs`, {
    stage: name,
  });
  return reason === undefined ? undefined : { reason };
}

/** Looks at the proof that the stage demands, before anything is run. */
async function proven(
  story: PromotionStory,
  { stage, record, experiments }: Place,
): Promise<Lack | undefined> {
  if (!stage.proof) return undefined;
  const { promotion } = stage.proof;
  const found = promotion === undefined ? story.record : await findRecord(promotion);
  const judged = judgeProof(stage.proof, experiments, story.record.subject, {
    record: found,
    now: Date.now(),
  });
  if ('lack' in judged) return { reason: `no proof: ${judged.lack}` };
  record.proof = judged.proof;
  note(story, `proven by ${judged.proof}`, stage.name);
  return undefined;
}
