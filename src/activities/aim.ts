import { createHash } from 'node:crypto';
import { problem } from '../experiment/errors.ts';
import type { KillPlan } from '../experiment/result.ts';
import { lateAfter } from '../experiment/schedule.ts';
import { chooseBroker, guardReasons } from '../faults/guard.ts';
import { pause } from '../kubernetes/wait.ts';
import { containerWithPort, runningContainer, waitingReasons } from '../kubernetes/workloads.ts';
import { brokerPods, podsByBroker, type ReachedKafka, withKafka } from './brokers.ts';
import type { Activities, Aim } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { containerOf, readLivenessPod } from './liveness-http.ts';
import { runStep, type StepContext } from './step.ts';

type AimRequest = Parameters<Activities['aim']>[0];

/** Between two looks at Kafka's metadata while the guard waits. ms */
const lookMs = 100;

/** Asks who is to be hit, waits for the guard, and gives the plan that the history keeps before anything is done. */
export function makeAim(deps: ActivityDependencies): Activities['aim'] {
  return (request) =>
    runStep('kill', async (step) => {
      const ended = await streamEnded(deps, request);
      if (ended) return { outcome: 'stream-ended', reason: ended };
      const { experiment } = request.resolved;
      return await withKafka(deps, experiment, request.kafka.statefulSet, (reached) =>
        aim(deps, request, reached, step),
      );
    });
}

/** Why no further kill can be judged: the witness is gone or has given up. */
async function streamEnded(
  deps: ActivityDependencies,
  { liveness }: AimRequest,
): Promise<string | undefined> {
  const pod = await readLivenessPod(deps.kubernetes, liveness);
  if (!pod || pod.metadata?.uid !== liveness.podUid) return 'the liveness pod is gone';
  if (pod.metadata.deletionTimestamp) return 'the liveness pod is being deleted';
  for (const name of ['kafka-producer', 'kafka-consumer', 'kafka-observer']) {
    const ended = containerOf(pod, name)?.state?.terminated;
    if (ended) return `container ${name} ended with exit code ${ended.exitCode}`;
  }
  return undefined;
}

async function aim(
  deps: ActivityDependencies,
  request: AimRequest,
  { kafka }: ReachedKafka,
  step: StepContext,
): Promise<Aim> {
  const { experiment } = request.resolved;
  const waitedFor = new Set<string>();
  const startedAt = Date.now();
  for (;;) {
    const look = await kafka.metadata({ topics: [request.liveness.topic] }).catch(() => undefined);
    const reasons = look
      ? guardReasons(look, request.kafka.brokerIds, experiment.guard.allow)
      : ['no broker answers'];
    if (look && reasons.length === 0) {
      const chosen = chooseBroker(experiment.target, look, chance(request));
      if ('broker' in chosen) {
        const victim = await livingVictim(deps, request, chosen.broker, look.brokers);
        if (typeof victim === 'object')
          return { outcome: 'aimed', plan: planOf(request, look, victim, waitedFor, startedAt) };
        reasons.push(victim);
      } else reasons.push(chosen.reason);
    }
    for (const reason of reasons) waitedFor.add(reason);
    step.progress([`kill ${request.index + 1}: the guard waits: ${reasons.join('; ')}`]);
    if (Date.now() + lookMs > request.until) {
      const why = [...reasons, ...(await disturbances(deps, request))].join('; ');
      return { outcome: 'skipped', reason: `the guard waited up to the next deadline: ${why}` };
    }
    await pause(lookMs, step.signal);
  }
}

/** What keeps brokers' pods from coming up, as after a drain of their node: Kafka's metadata knows only that they are away. */
async function disturbances(deps: ActivityDependencies, request: AimRequest): Promise<string[]> {
  const pods = await brokerPods(deps.kubernetes, request.kafka.statefulSet).catch(() => []);
  return pods.flatMap(waitingReasons);
}

/** What a plan says of its victim. */
type Victim = Pick<KillPlan, 'broker' | 'pod' | 'podUid' | 'resourceVersion' | 'node' | 'container'>;

/** The broker's pod where it lives, or why it cannot be hit now. */
async function livingVictim(
  deps: ActivityDependencies,
  request: AimRequest,
  broker: number,
  brokers: Parameters<typeof podsByBroker>[1],
): Promise<Victim | string> {
  const { cluster } = request.resolved.experiment;
  const pods = await brokerPods(deps.kubernetes, request.kafka.statefulSet);
  const advertised = brokers.filter((candidate) => candidate.id === broker);
  const pod = podsByBroker(request.resolved.experiment, advertised, pods).get(broker);
  if (!pod) throw problem('BROKER_UNMAPPED', `broker ${broker} has no pod`, { retryable: true });
  const { name = '', uid = '', resourceVersion = '', deletionTimestamp } = pod.metadata ?? {};
  if (deletionTimestamp) return `pod ${name} is terminating`;
  const { nodeName: node } = pod.spec ?? {};
  const container = runningContainer(pod, cluster.brokerContainer ?? containerWithPort(pod, cluster.port));
  return {
    broker,
    pod: name,
    podUid: uid,
    resourceVersion,
    ...(node ? { node } : {}),
    ...(container ? { container } : {}),
  };
}

function planOf(
  request: AimRequest,
  look: {
    partitions: { leader: number; leaderEpoch: number; isr: number[]; replicas: number[] }[];
    controller: number;
  },
  victim: Victim,
  waitedFor: Set<string>,
  startedAt: number,
): KillPlan {
  const now = Date.now();
  const [partition] = look.partitions;
  // What the guard waited is its own figure, and gives the kill as much more time; being late for another reason does not.
  const waitedMs = waitedFor.size > 0 ? Math.max(0, now - Math.max(request.deadline, startedAt)) : 0;
  const { waited } = request;
  const guardWaitMs = waitedMs + (waited?.guardWaitMs ?? 0);
  return {
    index: request.index,
    deadline: request.deadline,
    notAfter: lateAfter(request.resolved.experiment.schedule, request.deadline + guardWaitMs),
    ...victim,
    namespace: request.kafka.statefulSet.namespace,
    leader: partition?.leader ?? -1,
    leaderEpoch: partition?.leaderEpoch ?? -1,
    isr: partition?.isr ?? [],
    replicas: partition?.replicas ?? [],
    controller: look.controller,
    guardWaitMs,
    guardReasons: [...new Set([...(waited?.guardReasons ?? []), ...waitedFor])],
  };
}

/** In [0, 1). The same broker again when the step is tried again: chance comes from the run, not from the clock. */
function chance({ resolved, index }: AimRequest): number {
  const digest = createHash('sha256').update(`${resolved.run.runId} ${index}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}
