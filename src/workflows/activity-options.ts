import {
  ActivityCancellationType,
  type ActivityOptions,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, Resolved } from '../activities/contract.ts';
import { cleanUpSeconds, type KillSchedule, latenessMs } from '../experiment/schedule.ts';
import { shortLine } from '../experiment/short-line.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';

/** Steps that may be tried again: soon at first, for a dead worker's successor is usually there within seconds. */
const retry = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' } as const;

/** A dead worker is noticed after this. */
const heartbeatTimeout = '10s';

/** The same where a step only looks and no kill waits for it, a watch too: each beat is billed. */
const looksOnly = '30s';

/** In the proof of a kill: a dead worker's successor is still in time for the next one. ms */
const proofHeartbeat = (schedule: KillSchedule) => Math.max(10_000, latenessMs(schedule));

/** Must equal `criticalSuffix` of the contract, which a workflow may import as a type only. */
const criticalQueue = () => `${workflowInfo().taskQueue}-critical`;

/** Must equal `watchSuffix`. */
const watchQueue = () => `${workflowInfo().taskQueue}-watch`;

/**
 * Bounded steps of every run. What changes the cluster is waited for when a run is cancelled, so that clean-up meets no zombie.
 * `summary` is the line that the Web UI shows for the step.
 */
export function boundedStep(summary: string): Pick<Activities, 'resolve' | 'annotate'> {
  return proxyActivities<Pick<Activities, 'resolve' | 'annotate'>>({
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: '3m',
    heartbeatTimeout,
    retry,
    summary,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Clean-up and record: own queue, long patience, because giving up leaves something behind. */
export const criticalSteps = {
  get cleanUp() {
    return critical('20m', '2h', 'undo everything, and look that it is undone').cleanUp;
  },
  /** While nobody works it waits; a cluster that does not answer keeps a run that has not begun no longer than some minutes. */
  get releaseClaim() {
    return critical('1m', '2h', 'give up the claim, if it was taken', { maximumAttempts: 10 }).releaseClaim;
  },
  get record() {
    return critical('1m', '24h', 'verdict, Events and result').record;
  },
};

function critical(
  startToCloseTimeout: '20m' | '1m',
  scheduleToCloseTimeout: '2h' | '24h',
  summary: string,
  bound: { maximumAttempts?: number } = {},
) {
  return proxyActivities<Pick<Activities, 'cleanUp' | 'releaseClaim' | 'record'>>({
    taskQueue: criticalQueue(),
    startToCloseTimeout,
    scheduleToCloseTimeout,
    heartbeatTimeout,
    retry: { ...retry, ...bound },
    summary,
  });
}

/** The kill of one round; its total time is bounded by the plan's notAfter, so that the run cannot end before it. */
export function killStep(scheduleToCloseMs: number, summary: string): Pick<Activities, 'kill'> {
  return proxyActivities<Pick<Activities, 'kill'>>({
    taskQueue: criticalQueue(),
    startToCloseTimeout: scheduleToCloseMs,
    scheduleToCloseTimeout: scheduleToCloseMs,
    heartbeatTimeout: '5s',
    retry: { ...retry, initialInterval: '100ms', maximumInterval: '1s' },
    summary,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Chooses the victim of one round. It only looks, but a kill that it comes too late for is lost. */
export function aimStep(timeoutMs: number, summary: string): Pick<Activities, 'aim'> {
  return proxyActivities<Pick<Activities, 'aim'>>({
    ...looking(timeoutMs, summary),
    taskQueue: criticalQueue(),
  });
}

/** Looks at what a kill has done. */
export function proveStep(
  timeoutMs: number,
  summary: string,
  schedule: KillSchedule,
): Pick<Activities, 'prove'> {
  return proxyActivities<Pick<Activities, 'prove'>>({
    ...looking(timeoutMs, summary),
    heartbeatTimeout: proofHeartbeat(schedule),
  });
}

/** A step that only looks: may be left behind when the run is cancelled. */
function looking(timeoutMs: number, summary: string): ActivityOptions {
  return {
    startToCloseTimeout: timeoutMs,
    scheduleToCloseTimeout: timeoutMs,
    heartbeatTimeout,
    retry,
    summary,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  };
}

/**
 * The look at the stream that lasts as long as the kills, on a queue of its own. It beats seldom, for each beat is billed: while its
 * worker is dead, each kill still looks for itself.
 */
export function watchStep(timeoutMs: number, summary: string): Pick<Activities, 'watchSlo'> {
  return proxyActivities<Pick<Activities, 'watchSlo'>>({
    ...looking(timeoutMs, summary),
    taskQueue: watchQueue(),
    heartbeatTimeout: looksOnly,
  });
}

/** Taking over a part of the stream: what it would have told is worth no waiting. */
export function partStep(): Pick<Activities, 'takePart'> {
  return proxyActivities<Pick<Activities, 'takePart'>>({
    startToCloseTimeout: '15s',
    scheduleToCloseTimeout: '30s',
    retry,
    summary: 'what the stream was like lately',
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
}

const minute = 60_000;

/** Steps whose patience the experiment sets. */
export function stepsFor(experiment: ResolvedExperiment): Pick<Activities, 'provision' | 'startLiveness'> {
  const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;
  const waits = (ms: number, summary: string) => ({
    startToCloseTimeout: ms,
    scheduleToCloseTimeout: ms + minute,
    heartbeatTimeout,
    retry,
    summary,
    cancellationType,
  });
  const provisionMs = experiment.provision.timeoutSeconds * 1_000 + minute;
  const livenessMs = experiment.liveness.readySeconds * 1_000 + minute;
  const { namespace } = experiment.cluster;
  const { ratePerSecond, replicationFactor } = experiment.liveness;
  return {
    provision: proxyActivities<Pick<Activities, 'provision'>>(
      waits(provisionMs, shortLine(`bring up or find the Kafka in ${namespace}`)),
    ).provision,
    startLiveness: proxyActivities<Pick<Activities, 'startLiveness'>>(
      waits(
        livenessMs,
        `stream of ${ratePerSecond} records/s, ${replicationFactor} replicas, until it is steady`,
      ),
    ).startLiveness,
  };
}

/**
 * The end of the stream. The pod keeps what it saw until the run expires: for as long it is tried, less what clean-up may need, so
 * that no outage of Temporal or of all workers loses a stream that is still there.
 */
export function closeStep({ experiment, expires }: Resolved): Pick<Activities, 'closeStream'> {
  const attemptMs = experiment.schedule.recoveryTimeoutSeconds * 1_000 + 2 * minute;
  const leftMs = expires - cleanUpSeconds * 1_000 - Date.now();
  return proxyActivities<Pick<Activities, 'closeStream'>>({
    startToCloseTimeout: attemptMs,
    scheduleToCloseTimeout: Math.max(attemptMs + minute, leftMs),
    heartbeatTimeout: looksOnly,
    retry,
    summary: 'wait for the ISR, read the stream to its end',
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
}
