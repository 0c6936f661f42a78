import type { Dial } from '../../src/kafka/port.ts';
import { dialDirect } from '../../src/kafka/reach.ts';
import { startConsumer } from '../../src/liveness/consumer.ts';
import { plainStream, type Settings } from '../../src/liveness/environment.ts';
import { startLane } from '../../src/liveness/lane.ts';
import { answerParent, type ClientGaps, type ClientsRequest, epochNow, type Span } from './protocol.ts';

/** The consumer is looked at this often. ms */
const lookMs = 10;

/** A gap that is longer than this is worth keeping. ms */
const gapMs = 40;

const gaps: ClientGaps = { producer: [], consumer: [], lastAckAt: 0, lastReceivedAt: 0 };

/** The pod's own sending, asked for its outages again and again: it keeps only the longest. */
function produce(settings: Settings): () => Span[] {
  const outages = new Map<number, Span>();
  const nothing = () => {};
  const lane = startLane(settings, 0, {
    ...{ onTry: nothing, onSent: nothing, onUnknown: nothing, onError: nothing, onRebuilt: nothing },
    onAcked: () => {
      gaps.lastAckAt = epochNow();
    },
  });
  return () => {
    for (const { at, ms, open } of lane.outages.list(performance.now(), lane.waitingSince())) {
      if (!open) outages.set(at, { from: at, to: at + ms });
    }
    return [...outages.values()];
  };
}

/** The pod's own reading. */
function consume(settings: Settings): void {
  const consumer = startConsumer(settings, () => {});
  setInterval(() => {
    const last = consumer.report().lastReceivedAt ?? 0;
    const before = gaps.lastReceivedAt;
    if (before > 0 && last - before > gapMs) gaps.consumer.push({ from: before, to: last });
    gaps.lastReceivedAt = last;
  }, lookMs);
}

let producerOutages = (): Span[] => [];

answerParent<ClientsRequest>(async (request) => {
  if (request.what === 'gaps') return { ...gaps, producer: producerOutages() };
  const { topic, bootstrap, ports } = request;
  const dial: Dial = (host, port, giveUp) => dialDirect('127.0.0.1', ports[`${host}:${port}`] ?? 0, giveUp);
  const settings: Settings = {
    ...{ role: 'producer', runId: 'truth', topic, bootstrap, dial, rate: 100, stream: plainStream },
    ...{ replicationFactor: 1, minInsyncReplicas: 1, probeStepMs: 3, terminationLog: '/dev/null' },
    // Nothing that is done here is a reason to give up.
    consumerTimeoutMs: 300_000,
  };
  producerOutages = produce(settings);
  consume({ ...settings, role: 'consumer' });
  return undefined;
});
