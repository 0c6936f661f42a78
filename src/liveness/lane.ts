import { setTimeout as delay } from 'node:timers/promises';
import { largestBatch } from '../experiment/stream-options.ts';
import { errorKind } from '../kafka/error-kind.ts';
import { connectSender, type RecordSender, type RecordToSend } from '../kafka/record-sender.ts';
import { type AckOutages, ackOutages } from './ack-outages.ts';
import type { Settings } from './environment.ts';
import { encodeRecord } from './record.ts';
import { keyOf, scheduleOf } from './schedule.ts';

/** A send that fails leaves no more records than these without an outcome. */
const maxBatch = 1_000;

/**
 * Batches of all partitions that are under way at once hold no more, where a record each does not: kafkajs makes nine times as much of
 * them while it encodes, which for 64 full ones is more than the container has. Bytes
 */
const underWayBytes = 8_388_608;

/** What a record costs in a batch beside its value, at most. Bytes. */
const overheadBytes = 64;

/** Without an ack for this long the client is thrown away: a stuck client must not look like an outage. ms */
const rebuildAfterMs = 5_000;

/** From a failed send, or a failed connection, to the next attempt. ms */
const afterFailureMs = 50;
const afterNoConnectionMs = 100;

/** Longest sleep, so that a stop is heard. ms */
const maxSleepMs = 100;

/** Records of one partition that are sent together. */
export interface Batch {
  partition: number;
  first: number;
  count: number;
  /** When each record was due, epoch ms, whole. */
  due: number[];
}

/** What a lane tells. */
export interface LaneEvents {
  /** It is about to send, or to connect. */
  onTry: () => void;
  onSent: (batch: Batch) => void;
  /** Acknowledged at the offset of its first record, or -1. */
  onAcked: (batch: Batch, offset: number) => void;
  /** Failed: nobody knows whether the log has it. */
  onUnknown: (batch: Batch) => void;
  onError: (message: string) => void;
  onRebuilt: () => void;
}

/** The sending to one partition. */
export interface Lane {
  outages: AckOutages;
  /** When the oldest record that has no outcome was to be sent, by the monotonic clock; undefined where none waits. */
  waitingSince(): number | undefined;
  /** Sends no more; resolves when the last outcome is known. */
  stop(): Promise<void>;
}

/**
 * Sends one partition's records by a client of its own, one batch at a time. Open loop: what is due is due whatever the cluster does,
 * and is sent with the time at which it should have been. By a monotonic clock: setting the node's clock moves no record.
 */
export function startLane(settings: Settings, partition: number, events: LaneEvents): Lane {
  const { rate, runId, stream } = settings;
  const { partitions, recordBytes, keys, lingerMs, idempotent } = stream;
  const schedule = scheduleOf(rate, partitions, partition);
  const batchBytes = Math.min(largestBatch, underWayBytes / partitions);
  const most = Math.max(1, Math.min(maxBatch, Math.floor(batchBytes / (recordBytes + overheadBytes))));
  const now = () => performance.now();
  const outages = ackOutages(partition, (at) => Date.now() - (now() - at));
  let next = 0;
  let unsettled: number | undefined;
  let sender: RecordSender | undefined;
  let lastAckAt = 0;
  let connectedAt = now();
  let stopping = false;
  // The schedule begins with the first connection: records that were never due anywhere are no backlog.
  let began: { at: number; epoch: number } | undefined;

  async function loop(): Promise<void> {
    while (!stopping) {
      events.onTry();
      try {
        sender ??= await connected();
      } catch (error) {
        events.onError((error as Error).message);
        await pause(afterNoConnectionMs);
        continue;
      }
      const at = now();
      began ??= { at, epoch: Date.now() };
      const due = Math.min(schedule.dueBy(at - began.at) - next, most);
      const sleep = mayGoAt(began) - at;
      if (due > 0 && (sleep <= 0 || due === most)) await sendBatch(sender, began, due);
      else await delay(Math.min(Math.max(0, sleep), maxSleepMs));
    }
    await sender?.close().catch(() => {});
  }

  /** Until then the next record waits for others by its own will. By the monotonic clock. */
  function mayGoAt(start: { at: number }): number {
    return start.at + schedule.dueAt(next) + lingerMs;
  }

  async function connected(): Promise<RecordSender> {
    const { bootstrap, topic, dial } = settings;
    const { acks, compression } = stream;
    const made = await connectSender({
      ...{ bootstrap, topic, partition, acks, idempotent, compression },
      ...(dial ? { dial } : {}),
      clientId: `leaderfall-producer-${runId}`,
      requestTimeoutMs: 3_000,
    });
    connectedAt = now();
    return made;
  }

  async function sendBatch(
    to: RecordSender,
    start: { at: number; epoch: number },
    count: number,
  ): Promise<void> {
    const due = Array.from({ length: count }, (_, step) =>
      Math.round(start.epoch + schedule.dueAt(next + step)),
    );
    const batch: Batch = { partition, first: next, count, due };
    const wanted = Math.min(now(), mayGoAt(start));
    const before = { ...to.repeated };
    next += count;
    unsettled = wanted;
    events.onSent(batch);
    try {
      const offset = await to.send(recordsOf(batch));
      countRepeated(to, before);
      outages.acked(now(), wanted);
      lastAckAt = now();
      events.onAcked(batch, offset);
    } catch (error) {
      countRepeated(to, before);
      outages.failed(errorKind(error), wanted);
      events.onUnknown(batch);
      events.onError(`${(error as Error).name}: ${(error as Error).message}`);
      // A broker takes the first batch after a failed one of an idempotent client for the same, and throws it out.
      if (idempotent || now() - Math.max(lastAckAt, connectedAt) > rebuildAfterMs) await rebuild();
      else await pause(afterFailureMs);
    } finally {
      unsettled = undefined;
    }
  }

  function recordsOf({ first, due }: Batch): RecordToSend[] {
    return due.map((at, step) => {
      const sequence = first + step;
      const value = encodeRecord({ producer: 0, partition, sequence, at }, runId, recordBytes);
      const key = keyOf(keys, partitions, partition, sequence);
      return key === undefined ? { value } : { key, value };
    });
  }

  function countRepeated(by: RecordSender, before: RecordSender['repeated']): void {
    const { requests, waitedMs } = by.repeated;
    outages.repeated(requests - before.requests, waitedMs - before.waitedMs);
  }

  async function rebuild(): Promise<void> {
    outages.rebuilt();
    events.onRebuilt();
    const old = sender;
    sender = undefined;
    // The old client may hang on the very broker that is gone.
    await Promise.race([old?.close().catch(() => {}), delay(500)]);
  }

  async function pause(ms: number): Promise<void> {
    const from = now();
    await delay(ms);
    outages.paused(now() - from);
  }

  const running = loop();
  return {
    outages,
    waitingSince: () => {
      if (unsettled !== undefined || !began || stopping) return unsettled;
      const since = mayGoAt(began);
      return since <= now() ? since : undefined;
    },
    async stop() {
      stopping = true;
      await running;
    },
  };
}
