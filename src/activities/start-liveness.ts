import { problem } from '../experiment/errors.ts';
import { topicName } from '../experiment/identity.ts';
import type { StartedLiveness } from '../experiment/result.ts';
import { faultOf } from '../faults/all-faults.ts';
import { eventReader } from '../kubernetes/last-events.ts';
import { pause } from '../kubernetes/wait.ts';
import { type Pod, waitingReasons } from '../kubernetes/workloads.ts';
import { livenessPodName } from '../liveness/pod.ts';
import { brokerPods } from './brokers.ts';
import type { Activities, RunContext } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import {
  announceSteady,
  consumerReport,
  observerReport,
  producerReport,
  readLivenessPod,
} from './liveness-http.ts';
import { hasEnded, placeLivenessPod } from './place-liveness.ts';
import { runStep, type StepContext } from './step.ts';

/** An image that cannot be pulled or a pod that fits no node is given up on after this. ms */
const waitingMs = 25_000;

/** Looks in a row at a stream that flows at its rate. */
const steadyLooks = 3;

/** From the steady stream to the deadline of the first kill: enough to aim at it, unless the fault needs longer. ms */
export const firstKillMs = 1_000;

/** Topic and stream; ends when the stream is steady. */
export function makeStartLiveness(deps: ActivityDependencies): Activities['startLiveness'] {
  return (context) => runStep('liveness', (step) => startLiveness(deps, context, step));
}

async function startLiveness(
  deps: ActivityDependencies,
  context: RunContext,
  step: StepContext,
): Promise<StartedLiveness> {
  const { experiment, run, expires, leadMs = firstKillMs } = context.resolved;
  const { namespace } = experiment.cluster;
  const deadline = Date.now() + experiment.liveness.readySeconds * 1_000;
  const ended = new AbortController();
  const flowing = async () => {
    await placeLivenessPod(deps, context, step, deadline);
    const pod = await running(deps, context, step, deadline);
    await steady(deps, context, step, deadline);
    return pod;
  };
  const [, pod] = await Promise.all([
    prepareFault(deps, context, deadline, AbortSignal.any([step.signal, ended.signal])),
    flowing(),
  ]).finally(() => ended.abort());
  return {
    namespace,
    pod: livenessPodName,
    podUid: pod.metadata?.uid ?? '',
    node: pod.spec?.nodeName ?? '',
    topic: topicName(run, expires),
    replicationFactor: experiment.liveness.replicationFactor,
    minInsyncReplicas: experiment.liveness.minInsyncReplicas,
    steadyAt: Date.now() + leadMs,
  };
}

/** What the fault needs on the brokers' nodes is there before the first kill. */
async function prepareFault(
  { kubernetes }: ActivityDependencies,
  { resolved, kafka }: RunContext,
  until: number,
  signal: AbortSignal,
): Promise<void> {
  const { experiment, run, expires } = resolved;
  const { prepare } = faultOf(experiment);
  if (!prepare) return;
  const pods = await brokerPods(kubernetes, kafka.statefulSet);
  const nodes = [...new Set(pods.flatMap(({ spec }) => spec?.nodeName ?? []))].sort();
  await prepare({ kubernetes, experiment, run, expires, nodes, until, signal });
}

async function running(
  deps: ActivityDependencies,
  context: RunContext,
  step: StepContext,
  deadline: number,
): Promise<Pod> {
  const { namespace } = context.resolved.experiment.cluster;
  const lastEvents = eventReader(deps.kubernetes, namespace);
  let waitingSince: number | undefined;
  for (;;) {
    const pod = await readLivenessPod(deps.kubernetes, { namespace, pod: livenessPodName });
    if (!pod)
      throw problem('LIVENESS_FAILED', 'the liveness pod was deleted while it started', { retryable: true });
    failIfEnded(pod);
    if (pod.status?.phase === 'Running') return pod;
    const told = waitingReasons(pod);
    const { warnings, pulls } = await lastEvents(told.length > 0 ? [] : [pod]);
    const reasons = [...told, ...warnings];
    step.progress([`liveness pod: ${pod.status?.phase ?? 'Pending'}`, ...reasons, ...pulls]);
    waitingSince = reasons.length > 0 ? (waitingSince ?? Date.now()) : undefined;
    const stuck = waitingSince !== undefined && Date.now() - waitingSince > waitingMs;
    if (stuck || Date.now() > deadline) {
      const [why = 'not ready in time'] = [...reasons, ...pulls];
      throw problem('POD_WAITING', `the liveness pod does not start: ${why}`, {
        evidence: [...reasons, ...pulls],
        next: `kubectl -n ${namespace} describe pod ${livenessPodName}`,
      });
    }
    await pause(300, step.signal);
  }
}

/** A container or pod that ended before the chaos is a defect of the stream, not of the cluster under test. */
function failIfEnded(pod: Pod): void {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  for (const { name, state } of [...initContainerStatuses, ...containerStatuses]) {
    const ended = state?.terminated;
    if (!ended || (ended.exitCode === 0 && name === 'kafka-topic')) continue;
    throw problem(
      'LIVENESS_FAILED',
      `container ${name} ended with exit code ${ended.exitCode} before the chaos`,
      {
        evidence: [ended.reason ?? '', ended.message?.slice(0, 500) ?? ''].filter((fact) => fact !== ''),
        next: `kubectl -n ${pod.metadata?.namespace} logs ${livenessPodName} -c ${name}`,
      },
    );
  }
  // A node that refuses a pod, or evicts it before it ran, names no container.
  if (!hasEnded(pod)) return;
  const { phase, reason, message } = pod.status ?? {};
  throw problem('LIVENESS_FAILED', `the liveness pod ended before the chaos: ${reason ?? phase}`, {
    evidence: message ? [message] : [],
    next: `kubectl -n ${pod.metadata?.namespace} describe pod ${livenessPodName}`,
  });
}

/** Steady: records are acknowledged and read at nine tenths of the rate, all replicas in sync, several looks in a row. */
async function steady(
  deps: ActivityDependencies,
  context: RunContext,
  step: StepContext,
  deadline: number,
): Promise<void> {
  const { kubernetes } = deps;
  const { cluster, liveness } = context.resolved.experiment;
  const ref = { namespace: cluster.namespace, pod: livenessPodName };
  const enough = Math.max(1, Math.floor(liveness.ratePerSecond * 0.9));
  let good = 0;
  for (;;) {
    const [producer, consumer, observer] = await Promise.all([
      producerReport(kubernetes, ref),
      consumerReport(kubernetes, ref),
      observerReport(kubernetes, ref, Number.MAX_SAFE_INTEGER),
    ]);
    const acks = producer?.ackRate ?? 0;
    const reads = consumer?.receiveRate ?? 0;
    const inSync = observer ? observer.current.isr.length === observer.current.replicas.length : false;
    const isSteady = inSync && observer?.current.leader !== -1 && acks >= enough && reads >= enough;
    good = isSteady ? good + 1 : 0;
    step.progress([
      `stream: ${acks} acks/s, ${reads} reads/s${good > 0 ? `, steady (${good} of ${steadyLooks})` : ''}`,
    ]);
    if (good >= steadyLooks) return await announceSteady(kubernetes, ref);
    if (Date.now() > deadline) {
      throw problem('STREAM_NOT_STEADY', `the stream did not reach ${enough} records a second`, {
        evidence: [
          `producer: ${acks} acks/s, last error: ${producer?.lastError ?? 'none'}`,
          `consumer: ${reads} reads/s, last error: ${consumer?.lastError ?? 'none'}`,
          `in sync: ${observer?.current.isr.join(', ') ?? 'not observed'} of ${observer?.current.replicas.join(', ') ?? ''}`,
        ],
        next: `kubectl -n ${ref.namespace} logs ${livenessPodName} -c kafka-producer; where that shows no error, lower liveness.ratePerSecond: ${liveness.ratePerSecond} may be more than the machine sends`,
      });
    }
    const pod = await readLivenessPod(kubernetes, ref);
    if (pod) failIfEnded(pod);
    await pause(700, step.signal);
  }
}
