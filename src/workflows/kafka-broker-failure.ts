import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ContinueAsNew,
  isCancellation,
  patched,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, KillContext, Resolved } from '../activities/contract.ts';
import type { ChaosResult, Evidence, Leftover } from '../experiment/result.ts';
import { shortLine } from '../experiment/short-line.ts';
import { killsOf, minKillsOf, untouched } from '../experiment/steering.ts';
import { judge } from '../verdict/judge.ts';
import { boundedStep, closeStep, criticalSteps, stepsFor } from './activity-options.ts';
import { type Carried, contextOf, storyOf } from './continue-run.ts';
import { problemOfFailure, registeredOf } from './failure.ts';
import { killRounds } from './kill-rounds.ts';
import { takeRecoveries, unseenAtEnd } from './late-recoveries.ts';
import { isAnswerLost } from './lost-step.ts';
import { isReasonToSkip, pauseOf, scheduleOf } from './scheduled.ts';
import { markResult, markRun } from './search-attributes.ts';
import { takeRequests } from './steer.ts';
import { begin, type Story, tell } from './story.ts';
import { takeLastPart } from './take-parts.ts';

/**
 * The experiment "leader broker failure": a Kafka, a stream, kills on a timer, a verdict, nothing left behind.
 * Takes one object, an ExperimentInput or a Litmus ChaosEngine; every field has a default on the worker.
 * Completed: Pass, Fail, Inconclusive. Failed: Error. Canceled: Stopped. The result object is what `record` returned.
 */
export async function kafkaBrokerFailure(input: unknown, carried?: Carried): Promise<ChaosResult> {
  const story = carried ? storyOf(carried) : newStory();
  const chaos = new CancellationScope();
  takeRequests(story, chaos);
  try {
    await chaos.run(() => experiment(input, story, carried && contextOf(carried)));
    // The stop may have come in one and the same task of the workflow as the answer of the last step.
    if (chaos.consideredCancelled) takeStop(story);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    takeEnd(story, error, chaos.consideredCancelled);
  }
  story.steering.round = 'over';
  const result = await CancellationScope.nonCancellable(() => ending(story, input));
  const summary = `${result.verdict}: ${result.reasons[0] ?? ''}`;
  setCurrentDetails(`**${summary}**`);
  if (result.verdict === 'Stopped') throw new CancelledFailure(summary);
  if (result.verdict === 'Error') {
    const { problem } = result;
    throw ApplicationFailure.nonRetryable(
      summary,
      problem?.code ?? 'INTERNAL',
      ...(problem ? [problem] : []),
    );
  }
  return result;
}

/**
 * Keeps what ended the chaos early. A step that fails while the run is being stopped (`stopping`) does not make it an Error: somebody
 * wanted it over, and would look for a defect of the run itself in vain. The failure is told beside the stop.
 */
function takeEnd(story: Story, error: unknown, stopping: boolean): void {
  if (!story.resolved && isAnswerLost(error)) story.claimUnknown = true;
  if (stopping || isCancellation(error)) takeStop(story);
  if (isCancellation(error)) return;
  story.problem = problemOfFailure(error, story.step);
  if (!story.resolved) story.registered = registeredOf(error);
  story.skipped = !story.cancelled && isReasonToSkip(story);
  tell(story, story.step ?? 'resolve', `error: ${story.problem.message}`);
}

function takeStop(story: Story): void {
  story.cancelled = true;
  if (!story.steering.stoppedBy) tell(story, story.step ?? 'resolve', 'cancelled');
}

function newStory(): Story {
  const info = workflowInfo();
  return {
    startedAt: info.startTime.toISOString(),
    timeline: [],
    kills: [],
    steering: untouched(),
    changes: 0,
    ...scheduleOf(info),
  };
}

/** From the input to the end of the chaos. What it finds out goes into the story at once, so that no error loses it. */
async function experiment(input: unknown, story: Story, carried?: KillContext): Promise<void> {
  const context = carried ?? (await prepare(input, story));
  begin(story, 'kill');
  const { lastActAt } = await killRounds(input, context, story);
  story.steering.round = 'made';

  begin(story, 'evaluate');
  await takeLastPart(context, story);
  const { experiment } = context.resolved;
  const until = lastActAt + experiment.schedule.recoveryTimeoutSeconds * 1_000;
  const { kills, earlier } = story;
  const earlierSpans = earlier ? { earlierSpans: earlier.spans } : {};
  const parts = story.partsUntil === undefined ? {} : { partsUntil: story.partsUntil };
  const request = { ...context, until, kills, unseen: unseenAtEnd(story), ...earlierSpans, ...parts };
  story.closing = await closeStep(context.resolved).closeStream(request);
  takeRecoveries(story, story.closing.recoveries);
}

/** Everything before the first kill. */
async function prepare(input: unknown, story: Story): Promise<KillContext> {
  begin(story, 'resolve');
  const { scheduledBy } = story;
  const check = boundedStep('check the input, rights and target; take the claim');
  const resolved = await (scheduledBy
    ? check.resolve(input ?? {}, { scheduledBy })
    : check.resolve(input ?? {}));
  story.resolved = resolved;
  tell(
    story,
    'resolve',
    `${resolved.provisioner} ${resolved.experiment.cluster.namespace}/${resolved.statefulSetName}`,
  );
  for (const note of resolved.notes) tell(story, 'resolve', note);
  markRun(resolved);

  const steps = stepsFor(resolved.experiment);
  begin(story, 'provision');
  const kafka = await steps.provision(resolved);
  story.kafka = kafka;
  tell(story, 'provision', `${kafka.brokerIds.length} brokers, reached by ${kafka.reach}`);
  for (const note of kafka.notes) tell(story, 'provision', note);

  begin(story, 'annotate');
  await boundedStep(shortLine(`opt ${kafka.statefulSet.name} in to chaos`)).annotate({ resolved, kafka });

  begin(story, 'liveness');
  const liveness = await steps.startLiveness({ resolved, kafka });
  story.liveness = liveness;
  tell(story, 'liveness', `stream steady through topic ${liveness.topic}, pod on node ${liveness.node}`);
  return { resolved, kafka, liveness };
}

/** Judges, cleans up and records, whatever happened before. */
async function ending(story: Story, input: unknown): Promise<ChaosResult> {
  const judgement = judge(evidenceOf(story));
  tell(story, 'evaluate', `${judgement.verdict}: ${judgement.reasons[0] ?? ''}`);
  const result: ChaosResult = {
    schema: 'leaderfall.io/result/v1',
    run: identityOf(story.resolved),
    name: story.resolved?.experiment.name ?? 'kafka-broker-failure',
    verdict: judgement.verdict,
    reasons: judgement.reasons,
    failStep: judgement.failStep,
    lines: judgement.lines,
    specHash: story.resolved?.specHash,
    problem: story.problem,
    startedAt: story.startedAt,
    endedAt: story.startedAt,
    experiment: story.resolved?.experiment,
    kafka: story.kafka,
    plannedKills: plannedOf(story),
    ...killsOfRun(story),
    ...injectingOf(story),
    stream: story.closing?.stream,
    leftovers: [],
    timeline: story.timeline,
    versions: story.resolved?.versions ?? {},
  };
  result.leftovers = await cleaned(story, input);
  result.endedAt = new Date().toISOString();
  markResult(result, story.resolved?.searchAttributes ?? story.registered ?? []);
  const cancelRun = result.verdict === 'Stopped' && story.steering.stoppedBy !== undefined;
  return await criticalSteps.record({
    result,
    resolved: story.resolved,
    ...(cancelRun ? { cancelRun } : {}),
    ...pauseOf(story, result),
  });
}

/** What is left once everything is undone that the run has made, or may have made. */
async function cleaned(story: Story, input: unknown): Promise<Leftover[]> {
  const { resolved, kafka, liveness } = story;
  if (resolved) {
    const { namespace } = resolved.experiment.cluster;
    const run = { name: resolved.run.runId, namespace };
    return await undone(story, run, () => criticalSteps.cleanUp({ resolved, kafka, liveness }));
  }
  // Runs that earlier builds began have no such step.
  if (!story.claimUnknown || !patched('release-lost-claim')) return [];
  const run = { name: workflowInfo().runId };
  return await undone(story, run, () => criticalSteps.releaseClaim({ input: input ?? {} }));
}

/** Undoes; when even that cannot be done in its time, the result says so instead of losing the verdict. */
async function undone(
  story: Story,
  run: Pick<Leftover, 'name' | 'namespace'>,
  undo: () => ReturnType<Activities['cleanUp']>,
): Promise<Leftover[]> {
  try {
    const { leftovers, done } = await undo();
    for (const text of done) tell(story, 'clean-up', text);
    return leftovers;
  } catch (error) {
    const reason = problemOfFailure(error, 'clean-up').message;
    tell(story, 'clean-up', `not finished: ${reason}`);
    return [{ kind: 'Run', ...run, reason }];
  }
}

function evidenceOf(story: Story): Evidence {
  return {
    experiment: story.resolved?.experiment,
    baseline: story.resolved?.baseline,
    plannedKills: plannedOf(story),
    minKills: story.resolved ? minKillsOf(story.resolved.experiment.schedule, story.steering) : 1,
    ...killsOfRun(story),
    ...injectingOf(story),
    stream: story.closing?.stream,
    containers: story.closing?.containers,
    livenessPod: story.closing?.livenessPod,
    isrFullAtEnd: story.closing?.isrFullAtEnd,
    problem: story.problem,
    cancelled: story.cancelled ?? false,
    ...(story.skipped ? { skipped: true } : {}),
    ...(story.steering.stoppedBy ? { stoppedBy: story.steering.stoppedBy } : {}),
  };
}

/** Where a run went on in new histories, not every kill's record was carried along. */
function killsOfRun({ earlier, kills }: Story): Pick<ChaosResult, 'kills' | 'killsElsewhere'> {
  return earlier ? { kills: [...earlier.notable, ...kills], killsElsewhere: earlier.elsewhere } : { kills };
}

function injectingOf({ steering: { injectingStopped } }: Story): Pick<ChaosResult, 'injectingStopped'> {
  return injectingStopped ? { injectingStopped } : {};
}

function plannedOf({ resolved, steering }: Story): number {
  return resolved ? killsOf(resolved.experiment.schedule, steering) : 0;
}

function identityOf(resolved: Resolved | undefined): ChaosResult['run'] {
  const info = workflowInfo();
  return (
    resolved?.run ?? { temporalNamespace: info.namespace, workflowId: info.workflowId, runId: info.runId }
  );
}
