import { createHash } from 'node:crypto';
import { problem } from '../experiment/errors.ts';
import type { KillPlan } from '../experiment/kill-record.ts';
import { mayKillFrom, policyReasons } from '../experiment/policy.ts';
import { lateAfter } from '../experiment/schedule.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import { chooseBroker, guardReasons } from '../faults/guard.ts';
import type { ClusterMetadata, KafkaPort } from '../kafka/port.ts';
import { pause } from '../kubernetes/wait.ts';
import {
  containerOf,
  containerWithPort,
  type Pod,
  runningContainer,
  waitingReasons,
} from '../kubernetes/workloads.ts';
import { brokerOfPod, brokerPods, podsByBroker, type ReachedKafka, withKafka } from './brokers.ts';
import type { Activities, Aim } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { type GuardWaiting, waitedBefore, waitedSoFar, waitToCarry } from './guard-wait.ts';
import { askForKill } from './kill-budget.ts';
import { readLivenessPod } from './liveness-http.ts';
import { addReasons, type Held } from './reasons.ts';
import { minInsyncOf, type Risked, risksOf } from './risks.ts';
import { runStep, type StepContext } from './step.ts';

type AimRequest = Parameters<Activities['aim']>[0];

/** Between two looks at the stream's partition while the guard waits. ms */
const lookMs = 100;

/** Between two looks at all that the guard looks at: pods, their surroundings, every partition. ms */
const costlyLookMs = 1_500;

/** Asks who is to be hit, waits for the guard, and gives the plan that the history keeps before anything is done. */
export function makeAim(deps: ActivityDependencies): Activities['aim'] {
  return (request) =>
    runStep('kill', async (step) => {
      const { resolved, kafka, deadline, waited = { guardWaitMs: 0, guardReasons: [] } } = request;
      // Of several attempts at one target each knows what the one before knew.
      const before = waitedBefore(step.carried) ?? waited;
      const waiting: GuardWaiting = { before, deadline, since: Date.now(), reasons: [] };
      step.carry(() => waitToCarry(waiting));
      const ended = await streamEnded(deps, request);
      if (ended) return { outcome: 'stream-ended', reason: ended };
      return await withKafka(deps, resolved.experiment, kafka.statefulSet, (reached) =>
        aim(deps, request, reached, step, waiting),
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
  waiting: GuardWaiting,
): Promise<Aim> {
  // What it took to reach the Kafka is nothing that the guard waited.
  waiting.since = Date.now();
  const aimOnce = makeOneAim(deps, request, kafka);
  for (;;) {
    const now = await aimOnce();
    if ('victim' in now) return { outcome: 'aimed', plan: planOf(request, now.look, now.victim, waiting) };
    const { reasons, until = 0 } = now;
    waiting.reasons = addReasons(waiting.reasons, reasons);
    step.progress([`kill ${request.index + 1}: the guard waits: ${reasons.join('; ')}`]);
    const nextLook = Math.max(Date.now() + lookMs, until);
    if (nextLook > request.until) {
      const why = [...addReasons([], reasons), ...(await disturbances(deps, request))].join('; ');
      const waits = until > request.until ? 'would wait beyond' : 'waited up to';
      return { outcome: 'skipped', reason: `the guard ${waits} the next deadline: ${why}` };
    }
    await pause(nextLook - Date.now(), step.signal);
  }
}

/** Whom to hit as things are now, or every reason not to, and until when (epoch ms) no look can change them. */
type OneAim = Held | { look: ClusterMetadata; victim: Victim };

/** What costs more is asked only when what costs less lets the kill through, and the kill of the hour last of all. */
function makeOneAim(
  deps: ActivityDependencies,
  request: AimRequest,
  kafka: KafkaPort,
): () => Promise<OneAim> {
  const { guard } = request.resolved.experiment;
  const mayKill = askForKill(deps, request);
  let costly: { reasons: string[]; until: number } | undefined;
  return async () => {
    const shut = shutBy(deps, request, Date.now());
    if (shut) return shut;
    const look = await kafka.metadata({ topics: [request.liveness.topic] }).catch(() => undefined);
    if (!look) return { reasons: ['no broker answers'] };
    const reasons = guardReasons(look, request.kafka.brokerIds, guard.allow);
    if (reasons.length > 0) return { reasons };
    // Looked at again only after a while, lest API server and brokers have more work by the guard than by the kill.
    if (costly && Date.now() < costly.until) return { reasons: costly.reasons };
    const victim = await spared(deps, request, kafka, look);
    costly = Array.isArray(victim) ? { reasons: victim, until: Date.now() + costlyLookMs } : undefined;
    if (Array.isArray(victim)) return { reasons: victim };
    const spent = await mayKill();
    return spent ?? { look, victim };
  };
}

/** Why no kill may be now, whatever the brokers do: the worker's policy, or the kill before. */
function shutBy({ policy }: ActivityDependencies, request: AimRequest, now: number): Held | undefined {
  const { namespace, name: statefulSet } = request.kafka.statefulSet;
  const target = { namespace, statefulSet };
  const { notBefore = 0 } = request;
  const reasons = policyReasons(policy, target, now);
  if (now < notBefore)
    reasons.push(
      `half an interval lies between two kills, which is over at ${new Date(notBefore).toISOString()}`,
    );
  if (reasons.length === 0) return undefined;
  return { reasons, until: Math.max(mayKillFrom(policy, target, now), notBefore) };
}

/** The victim, or why the rest of the cluster cannot spare it. */
async function spared(
  deps: ActivityDependencies,
  request: AimRequest,
  kafka: KafkaPort,
  look: ClusterMetadata,
): Promise<Victim | string[]> {
  const { experiment } = request.resolved;
  const { statefulSet } = request.kafka;
  const pods = await brokerPods(deps.kubernetes, statefulSet).catch(unseenPods);
  if (typeof pods === 'string') return [pods];
  const brokerOf = (pod: string) => brokerOfPod(experiment, statefulSet, look.brokers, pods, pod);
  const chosen = chooseBroker(experiment.target, look, chance(request), brokerOf);
  if (!('broker' in chosen)) return [chosen.reason];
  const victim = livingVictim(request, chosen.broker, look.brokers, pods);
  if (typeof victim === 'string') return [victim];
  const risks = await risksOf(deps, kafka, risked(request, victim), minInsyncOf(deps, request.kafka));
  return risks.length > 0 ? risks : victim.says;
}

/** Why pods are not known for now: cannot be seen, is not safe. Thrown on where waiting is no help: wrong rights, settings, credentials. */
function unseenPods(error: unknown): string {
  const { code, message, retryable } = problemWithoutHosts(error);
  if (code !== 'KUBERNETES_UNREACHABLE' || !retryable) throw error;
  return `the brokers’ pods are not known: ${message}`;
}

/** What keeps brokers' pods from coming up, as after a drain of their node: Kafka's metadata knows only that they are away. */
async function disturbances(deps: ActivityDependencies, request: AimRequest): Promise<string[]> {
  const pods = await brokerPods(deps.kubernetes, request.kafka.statefulSet).catch(() => []);
  return pods.flatMap(waitingReasons);
}

/** What a plan says of its victim. */
type Victim = Pick<KillPlan, 'broker' | 'pod' | 'podUid' | 'resourceVersion' | 'node' | 'container'>;

/** The broker that is to be hit, its pod, and all of its StatefulSet. */
interface LivingVictim {
  broker: number;
  says: Victim;
  found: Pod;
  pods: Pod[];
}

/** The broker's pod where it lives, or why it cannot be hit now. */
function livingVictim(
  request: AimRequest,
  broker: number,
  brokers: Parameters<typeof podsByBroker>[2],
  pods: Pod[],
): LivingVictim | string {
  const { experiment } = request.resolved;
  const { cluster } = experiment;
  const advertised = brokers.filter((candidate) => candidate.id === broker);
  const pod = podsByBroker(experiment, request.kafka.statefulSet, advertised, pods).get(broker);
  if (!pod) throw problem('BROKER_UNMAPPED', `broker ${broker} has no pod`, { retryable: true });
  const { name = '', uid = '', resourceVersion = '', deletionTimestamp } = pod.metadata ?? {};
  if (deletionTimestamp) return `pod ${name} is terminating`;
  const { nodeName: node } = pod.spec ?? {};
  const container = runningContainer(pod, cluster.brokerContainer ?? containerWithPort(pod, cluster.port));
  const says = {
    broker,
    pod: name,
    podUid: uid,
    resourceVersion,
    ...(node ? { node } : {}),
    ...(container ? { container } : {}),
  };
  return { broker, says, found: pod, pods };
}

function risked({ resolved, kafka }: AimRequest, { broker, found, pods }: LivingVictim): Risked {
  const { experiment, seesNodes = false } = resolved;
  return {
    broker,
    pod: found,
    pods,
    statefulSet: kafka.statefulSet,
    allow: experiment.guard.allow,
    seesNodes,
  };
}

function planOf(
  request: AimRequest,
  look: {
    partitions: { leader: number; leaderEpoch: number; isr: number[]; replicas: number[] }[];
    controller: number;
  },
  victim: Victim,
  waiting: GuardWaiting,
): KillPlan {
  const [partition] = look.partitions;
  // What the guard waited is its own figure, and gives the kill as much more time; being late for another reason does not.
  const waited = waitedSoFar(waiting);
  const { schedule } = request.resolved.experiment;
  return {
    index: request.index,
    deadline: request.deadline,
    notAfter: lateAfter(schedule, request.deadline + waited.guardWaitMs),
    ...victim,
    namespace: request.kafka.statefulSet.namespace,
    leader: partition?.leader ?? -1,
    leaderEpoch: partition?.leaderEpoch ?? -1,
    isr: partition?.isr ?? [],
    replicas: partition?.replicas ?? [],
    controller: look.controller,
    ...waited,
  };
}

/** In [0, 1). The same broker again when the step is tried again: chance comes from the run, not from the clock. */
function chance({ resolved, index }: AimRequest): number {
  const digest = createHash('sha256').update(`${resolved.run.runId} ${index}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}
