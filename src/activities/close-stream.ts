import { LeaderfallError } from '../experiment/errors.ts';
import { faultSpans } from '../experiment/fault-spans.ts';
import type { PodEnd, ProvisionedKafka } from '../experiment/result.ts';
import { unpackSpans } from '../experiment/spans.ts';
import { streamFrom } from '../experiment/stream-part.ts';
import type { ContainerEnd, StreamReport } from '../experiment/stream-report.ts';
import type { Partition } from '../kafka/port.ts';
import { pause, poll } from '../kubernetes/wait.ts';
import { containerOf, lastWords, type Pod } from '../kubernetes/workloads.ts';
import { account, needsSecondReading } from '../liveness/account.ts';
import { besideObserver } from '../liveness/client-share.ts';
import type { ConsumerReport, ObserverReport, ProducerReport } from '../liveness/protocol.ts';
import { withKafka } from './brokers.ts';
import { changesOf } from './changes-of.ts';
import type { Activities, Closing, KillContext } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import {
  announceStop,
  closeConsumer,
  consumerLeft,
  consumerReport,
  observerReport,
  producerReport,
  readLivenessPod,
  readLogAgain,
  stopProducer,
} from './liveness-http.ts';
import { recoveriesOf } from './recoveries-of.ts';
import { runStep, type StepContext } from './step.ts';
import { streamOverTime } from './stream-series.ts';

/** Looks for a full ISR this often. ms */
const lookMs = 500;

/** Waits for the ISR, drains the stream, closes the ledger. */
export function makeCloseStream(deps: ActivityDependencies): Activities['closeStream'] {
  return (request) => runStep('evaluate', (step) => closeStream(deps, request, step));
}

async function closeStream(
  deps: ActivityDependencies,
  request: Parameters<Activities['closeStream']>[0],
  step: StepContext,
): Promise<Closing> {
  const { kubernetes } = deps;
  const { liveness, partsUntil = streamFrom(liveness.steadyAt) } = request;
  const isrFullAtEnd = await isrFull(deps, request, step);
  const observer = await observerReport(kubernetes, liveness, 0);
  const skewMs = observer?.aheadMs ?? 0;
  const recoveries = recoveriesOf(request.unseen ?? [], observer, Date.now());
  step.progress(['draining the stream']);
  const before = await readLivenessPod(kubernetes, liveness);
  const own = before?.metadata?.uid === liveness.podUid ? before : undefined;
  const ended = containerOf(own, 'kafka-consumer')?.state?.terminated !== undefined;
  let producer: ProducerReport | undefined;
  let consumer: ConsumerReport | undefined;
  if (own) {
    // Whoever comes after a worker that is lost here must not find a consumer that took its own stop for an outage.
    if (!ended) await announceStop(kubernetes, liveness);
    producer = (await stopProducer(kubernetes, liveness)) ?? (await producerReport(kubernetes, liveness));
    consumer = ended
      ? await consumerLeft(kubernetes, liveness)
      : ((await closeConsumer(kubernetes, liveness)) ?? (await consumerReport(kubernetes, liveness)));
    // The last words come with the pod's status, a moment after the container's end.
    if (!consumer || !producer) await pause(1_500, step.signal);
  }
  const { series, faultWindows } = producer
    ? await streamOverTime(kubernetes, liveness, {
        spans: [
          ...unpackSpans(request.earlierSpans ?? ''),
          ...faultSpans(request.kills, recoveries, Date.now()),
        ],
        startedAt: producer.startedAt,
        skewMs,
      })
    : {};
  const pod = await readLivenessPod(kubernetes, liveness);
  producer ??= lastWords<ProducerReport>(pod, 'kafka-producer');
  consumer ??= lastWords<ConsumerReport>(pod, 'kafka-consumer');
  const ends = {
    producer: endOf(pod, 'kafka-producer'),
    consumer: endOf(pod, 'kafka-consumer'),
    observer: endOf(pod, 'kafka-observer'),
  };
  const sides = { producer, consumer, uncleanElection: uncleanElectionOf(request.kafka) };
  let stream = account(sides, ends);
  // Who did not come to the end of the log, as a consumer that has ended, leaves it to somebody who is still there, or to a new client.
  if (stream && (ended || needsSecondReading(stream))) {
    step.progress(['reading the log once more']);
    const again = await readLogAgain(kubernetes, liveness, ended ? 'observer' : 'consumer');
    stream = account({ ...sides, again }, ends);
  }
  return {
    ...(stream
      ? {
          stream: {
            ...stream,
            ...besideObserver(stream, observer, { skewMs, minInsyncReplicas: liveness.minInsyncReplicas }),
            ...outagesOf(observer, skewMs),
            ...(faultWindows ? { faultWindows } : {}),
          },
        }
      : {}),
    ...(pod?.metadata?.uid === liveness.podUid ? { containers: ends } : {}),
    livenessPod: podEnd(pod, liveness.podUid),
    ...(isrFullAtEnd === undefined ? {} : { isrFullAtEnd }),
    recoveries,
    ...(series ? { series } : {}),
    ...(observer ? { changes: changesOf(observer, skewMs, { from: partsUntil }) } : {}),
  };
}

function uncleanElectionOf({ settings }: ProvisionedKafka): boolean | undefined {
  const setting = settings['unclean.leader.election.enable'];
  return setting === undefined ? undefined : setting === 'true';
}

/** Outages of the partition by the worker's clock. An observer of an older image tells of none. */
function outagesOf(
  observer: ObserverReport | undefined,
  skewMs: number,
): Pick<StreamReport, 'partitionOutages'> {
  const found = observer?.partitionOutages;
  if (!found) return {};
  const longest = found.longest.map((outage) => ({ ...outage, at: Math.round(outage.at - skewMs) }));
  return { partitionOutages: { ...found, longest } };
}

/** True as soon as all replicas of every partition are in sync, false when they are not in time, undefined where Kafka never answered. */
async function isrFull(
  deps: ActivityDependencies,
  request: KillContext & { until: number },
  step: StepContext,
): Promise<boolean | undefined> {
  const { resolved, until } = request;
  const { experiment } = resolved;
  let answered = false;
  const full = await poll(
    async () => {
      const partitions = await partitionsNow(deps, request).catch(giveUpOnRefusal);
      const [first] = partitions;
      if (!first) return undefined;
      answered = true;
      const behind = partitions.find(({ isr, replicas }) => isr.length < replicas.length);
      const { partition, isr, replicas } = behind ?? first;
      const which = partitions.length > 1 ? ` (partition ${partition})` : '';
      step.progress([`in sync: ${isr.join(', ')} of ${replicas.join(', ')}${which}`]);
      const all = partitions.length >= experiment.liveness.partitions;
      return all && !behind && partitions.every(({ leader }) => leader >= 0) ? true : undefined;
    },
    { everyMs: lookMs, until, signal: step.signal },
  ).catch((error: unknown) => {
    if (step.signal.aborted) throw error;
    return undefined;
  });
  return full ?? (answered ? false : undefined);
}

/** The stream's partitions; its Kafka is reached anew where that failed before: pods and ports may be away for a moment. */
async function partitionsNow(
  deps: ActivityDependencies,
  { resolved, kafka, liveness }: KillContext,
): Promise<Partition[]> {
  return await withKafka(deps, resolved.experiment, kafka.statefulSet, async (reached) => {
    const { partitions } = await reached.kafka.metadata({ topics: [liveness.topic] });
    return partitions;
  });
}

/** What passes is looked at again. */
function giveUpOnRefusal(error: unknown): Partition[] {
  if (error instanceof LeaderfallError && !error.problem.retryable) throw error;
  return [];
}

function endOf(pod: Pod | undefined, name: string): ContainerEnd {
  const state = containerOf(pod, name)?.state;
  if (!state) return { state: 'missing' };
  const ended = state.terminated;
  if (!ended) return { state: 'running' };
  return { state: 'terminated', exitCode: ended.exitCode, ...(ended.reason ? { reason: ended.reason } : {}) };
}

function podEnd(pod: Pod | undefined, uid: string): PodEnd {
  if (!pod) return { state: 'gone' };
  if (pod.metadata?.uid !== uid) return { state: 'replaced' };
  if (pod.metadata.deletionTimestamp) return { state: 'gone', reason: 'it is being deleted' };
  const { phase, reason, message } = pod.status ?? {};
  // The deadline is the run's own. All else that ends a whole pod is somebody's doing: an eviction, a node's shutdown, a preemption.
  if (phase !== 'Failed' || !reason || reason === 'DeadlineExceeded') return { state: 'running' };
  return { state: 'failed', reason: message ? `${reason}: ${message}` : reason };
}
