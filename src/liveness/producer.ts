import { setTimeout as delay } from 'node:timers/promises';
import { connectSender, type RecordSender } from '../kafka/streams.ts';
import type { Settings } from './environment.ts';
import { latencyRecorder, rateMeter } from './latency.ts';
import { newSentLedger, recordAcked, recordUnknown, sentReport } from './ledger/sent.ts';
import type { ProducerReport } from './protocol.ts';
import { encodeRecord, type StreamRecord } from './record.ts';
import { type SideReport, type SideRequest, seriesRecorder } from './series.ts';

/** Records that became due are sent together this often. ms */
const tickMs = 10;

/** Most records of one batch; while the cluster is out, the backlog waits and is sent with its own, older time stamps. */
const maxBatch = 500;

/** Without an ack for this long the client is thrown away: a stuck client must not look like an outage. ms */
const rebuildAfterMs = 5_000;

/** The running producer. */
export interface RunningProducer {
  report(): ProducerReport;
  series(request: SideRequest): SideReport;
  /** Sends no more; resolves when the last outcome is known. */
  stop(): Promise<ProducerReport>;
}

/**
 * Sends records with a sequence and a time stamp at a set rate, open loop: send times follow the schedule whatever the cluster
 * does, so that latencies hold the waiting too. A record is sent once; one whose send failed has an unknown outcome.
 */
export function startProducer(settings: Settings): RunningProducer {
  const startedAt = Date.now();
  const ledger = newSentLedger(0);
  const latency = latencyRecorder();
  const rate = rateMeter();
  const series = seriesRecorder();
  const seen = { sent: 0, acked: 0, unknown: 0, rebuilds: 0, longestGapMs: 0 };
  let lastAckAt: number | undefined;
  let longestGapAt: number | undefined;
  let lastError: string | undefined;
  let stopping = false;
  let next = 0;
  let sender: RecordSender | undefined;
  let connectedAt = startedAt;
  // The schedule begins with the first connection: records that were never due anywhere are no backlog.
  let scheduleStart: number | undefined;

  async function loop(): Promise<void> {
    while (!stopping) {
      ledger.triedAt = Date.now();
      try {
        sender ??= await connected();
      } catch (error) {
        lastError = (error as Error).message;
        await delay(100);
        continue;
      }
      scheduleStart ??= Date.now();
      const due = Math.floor(((Date.now() - scheduleStart) * settings.rate) / 1_000) - next;
      if (due > 0) await sendBatch(sender, scheduleStart, Math.min(due, maxBatch));
      else await delay(tickMs);
    }
    await sender?.close().catch(() => {});
  }

  async function connected(): Promise<RecordSender> {
    const { bootstrap, topic, runId } = settings;
    const made = await connectSender({
      bootstrap,
      topic,
      clientId: `leaderfall-producer-${runId}`,
      requestTimeoutMs: 3_000,
    });
    connectedAt = Date.now();
    return made;
  }

  async function sendBatch(to: RecordSender, start: number, count: number): Promise<void> {
    const first = next;
    const batch: StreamRecord[] = Array.from({ length: count }, (_, step) => ({
      producer: ledger.producer,
      partition: 0,
      sequence: first + step,
      at: Math.round(start + ((first + step) * 1_000) / settings.rate),
    }));
    next += count;
    seen.sent += count;
    series.sent(count);
    try {
      const offset = await to.send(batch.map((record) => encodeRecord(record, settings.runId)));
      recordAcked(ledger, 0, first, count, offset);
      acknowledged(batch);
    } catch (error) {
      recordUnknown(ledger, 0, first, count);
      seen.unknown += count;
      lastError = `${(error as Error).name}: ${(error as Error).message}`;
      if (Date.now() - Math.max(lastAckAt ?? 0, connectedAt) > rebuildAfterMs) await rebuild();
      else await delay(50);
    }
  }

  function acknowledged(batch: StreamRecord[]): void {
    const now = Date.now();
    const gap = lastAckAt === undefined ? 0 : now - lastAckAt;
    if (gap > seen.longestGapMs) {
      seen.longestGapMs = gap;
      longestGapAt = lastAckAt;
    }
    lastAckAt = now;
    seen.acked += batch.length;
    rate.add(batch.length);
    for (const { at } of batch) {
      latency.record(now - at);
      series.done(at);
    }
  }

  async function rebuild(): Promise<void> {
    seen.rebuilds++;
    const old = sender;
    sender = undefined;
    // The old client may hang on the very broker that is gone.
    await Promise.race([old?.close().catch(() => {}), delay(500)]);
  }

  const running = loop();
  const report = (): ProducerReport => {
    const now = Date.now();
    const openGap = lastAckAt === undefined || stopping ? 0 : now - lastAckAt;
    return {
      role: 'producer',
      now,
      startedAt,
      stopped: stopping,
      sent: seen.sent,
      acked: seen.acked,
      unknown: seen.unknown,
      delivery: { acks: 'all', idempotent: false, retries: false, maxInFlight: 1 },
      ledger: sentReport(ledger),
      longestAckGapMs: Math.max(seen.longestGapMs, openGap),
      ackRate: rate.perSecond(),
      sendToAck: latency.summary(),
      rebuilds: seen.rebuilds,
      ...(lastAckAt === undefined ? {} : { lastAckAt }),
      ...(longestGapAt === undefined ? {} : { longestAckGapAt: longestGapAt }),
      ...(lastError === undefined ? {} : { lastError }),
    };
  };
  return {
    report,
    series: series.report,
    async stop() {
      stopping = true;
      await running;
      return report();
    },
  };
}
