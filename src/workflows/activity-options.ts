import { ActivityCancellationType, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';

/** Steps that may be tried again: soon at first, for a dead worker's successor is usually there within seconds. */
const retry = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' } as const;

/** A dead worker is noticed after this; a step that waits beats every 4 s. */
const heartbeatTimeout = '10s';

/** Must equal `criticalSuffix` of the contract, which a workflow may import as a type only. */
const criticalQueue = () => `${workflowInfo().taskQueue}-critical`;

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
  get record() {
    return critical('1m', '24h', 'verdict, Events and result').record;
  },
};

function critical(startToCloseTimeout: '20m' | '1m', scheduleToCloseTimeout: '2h' | '24h', summary: string) {
  return proxyActivities<Pick<Activities, 'cleanUp' | 'record'>>({
    taskQueue: criticalQueue(),
    startToCloseTimeout,
    scheduleToCloseTimeout,
    heartbeatTimeout,
    retry,
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

/** A step that only looks: may be left behind when the run is cancelled. */
export function observingStep(timeoutMs: number, summary: string): Pick<Activities, 'aim' | 'prove'> {
  return proxyActivities<Pick<Activities, 'aim' | 'prove'>>({
    startToCloseTimeout: timeoutMs,
    scheduleToCloseTimeout: timeoutMs,
    heartbeatTimeout,
    retry,
    summary,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
}

/** Steps whose patience the experiment sets. */
export function stepsFor(
  experiment: ResolvedExperiment,
): Pick<Activities, 'provision' | 'startLiveness' | 'closeStream'> {
  const minute = 60_000;
  const waits = (ms: number, cancellationType: ActivityCancellationType, summary: string) => ({
    startToCloseTimeout: ms,
    scheduleToCloseTimeout: ms + minute,
    heartbeatTimeout,
    retry,
    summary,
    cancellationType,
  });
  const { WAIT_CANCELLATION_COMPLETED, TRY_CANCEL } = ActivityCancellationType;
  const provisionMs = experiment.provision.timeoutSeconds * 1_000 + minute;
  const livenessMs = experiment.liveness.readySeconds * 1_000 + minute;
  const closeMs = experiment.schedule.recoveryTimeoutSeconds * 1_000 + 2 * minute;
  const { namespace } = experiment.cluster;
  const { ratePerSecond, replicationFactor } = experiment.liveness;
  return {
    provision: proxyActivities<Pick<Activities, 'provision'>>(
      waits(provisionMs, WAIT_CANCELLATION_COMPLETED, `bring up or find the Kafka in ${namespace}`),
    ).provision,
    startLiveness: proxyActivities<Pick<Activities, 'startLiveness'>>(
      waits(
        livenessMs,
        WAIT_CANCELLATION_COMPLETED,
        `stream of ${ratePerSecond} records/s, ${replicationFactor} replicas, until it is steady`,
      ),
    ).startLiveness,
    closeStream: proxyActivities<Pick<Activities, 'closeStream'>>(
      waits(closeMs, TRY_CANCEL, 'wait for the ISR, read the stream to its end'),
    ).closeStream,
  };
}
