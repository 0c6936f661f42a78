import { setTimeout as delay } from 'node:timers/promises';
import type { Dial } from '../../src/kafka/port.ts';
import { dialDirect } from '../../src/kafka/reach.ts';
import { connectSender } from '../../src/kafka/record-sender.ts';
import { connectReader } from '../../src/kafka/streams.ts';
import { answerParent, type ClientGaps, type ClientsRequest, epochNow, type Span } from './protocol.ts';

/** A record is sent this often. ms */
const everyMs = 10;

/** A gap that is longer than this is worth keeping. ms */
const gapMs = 40;

const gaps: ClientGaps = { producer: [], consumer: [], lastAckAt: 0, lastReceivedAt: 0 };

function note(spans: Span[], last: number): number {
  const now = epochNow();
  if (last > 0 && now - last > gapMs) spans.push({ from: last, to: now });
  return now;
}

/** Sends on and on, as the producer in the pod does: one send at a time, each with a known outcome. */
async function produce(options: { bootstrap: string[]; topic: string; clientId: string; dial: Dial }) {
  const sender = await connectSender({ ...options, requestTimeoutMs: 3_000 });
  for (;;) {
    try {
      await sender.send([{ value: Buffer.from(String(epochNow())) }]);
      gaps.lastAckAt = note(gaps.producer, gaps.lastAckAt);
      await delay(everyMs);
    } catch {
      await delay(50);
    }
  }
}

answerParent<ClientsRequest>(async (request) => {
  if (request.what === 'gaps') return gaps;
  const { topic, bootstrap, ports } = request;
  const dial: Dial = (host, port, giveUp) => dialDirect('127.0.0.1', ports[`${host}:${port}`] ?? 0, giveUp);
  const options = { bootstrap, topic, clientId: 'truth-client', dial };
  void produce(options);
  const onRecords = () => {
    gaps.lastReceivedAt = note(gaps.consumer, gaps.lastReceivedAt);
  };
  await connectReader({ ...options, groupId: topic, onRecords, onCrash: () => {} });
  return undefined;
});
