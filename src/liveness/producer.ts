import { summedUp } from './ack-outages.ts';
import type { Settings } from './environment.ts';
import { type Batch, startLane } from './lane.ts';
import { eachMillisecond, latencyRecorder, rateMeter } from './latency.ts';
import { newSentLedger, recordAcked, recordUnknown, sentReport } from './ledger/sent.ts';
import type { ProducerReport } from './protocol.ts';
import { type SideReport, type SideRequest, seriesRecorder } from './series.ts';
import { unsentRecords } from './unsent.ts';

/** The running producer. */
export interface RunningProducer {
  report(): ProducerReport;
  series(request: SideRequest): SideReport;
  /** The stream has only now begun to flow: times without acks until then are no outages. */
  steady(): void;
  /** Sends no more; resolves when the last outcome is known. Asked for again, it changes nothing and tells how things stand. */
  stop(): Promise<ProducerReport>;
}

/**
 * Sends records with a sequence and a time stamp at a set rate, open loop: send times follow the schedule whatever the cluster
 * does, and latencies are taken from them, so that they hold the waiting too. A record is sent once; one whose send failed has an
 * unknown outcome.
 */
export function startProducer(settings: Settings): RunningProducer {
  const { partitions, acks, idempotent } = settings.stream;
  const startedAt = Date.now();
  const ledger = newSentLedger(0);
  const latency = latencyRecorder();
  const rate = rateMeter();
  const series = seriesRecorder();
  const unsent = unsentRecords();
  const seen = { sent: 0, acked: 0, unknown: 0, rebuilds: 0, longestGapMs: 0 };
  let lastAckAt: number | undefined;
  let longestGapAt: number | undefined;
  let lastError: string | undefined;
  let stoppedAt: number | undefined;

  function onAcked({ partition, first, count, due }: Batch, offset: number): void {
    recordAcked(ledger, partition, first, count, offset);
    unsent.served(partition);
    const now = Date.now();
    const gap = lastAckAt === undefined ? 0 : now - lastAckAt;
    if (gap > seen.longestGapMs) {
      seen.longestGapMs = gap;
      longestGapAt = lastAckAt;
    }
    lastAckAt = now;
    seen.acked += count;
    rate.add(count);
    eachMillisecond(due, (at, records) => {
      latency.record(now - at, records);
      series.done(at, records);
    });
  }

  const lanes = Array.from({ length: partitions }, (_, partition) =>
    startLane(settings, partition, {
      onTry: () => {
        ledger.triedAt = Date.now();
      },
      onSent: ({ count }) => {
        seen.sent += count;
        series.sent(count);
      },
      onAcked,
      onUnknown: ({ first, count, due }) => {
        recordUnknown(ledger, partition, first, count);
        unsent.failed(partition, due);
        seen.unknown += count;
      },
      onError: (message) => {
        lastError = message;
      },
      onRebuilt: () => {
        seen.rebuilds++;
      },
    }),
  );

  function steady(): void {
    for (const lane of lanes) lane.outages.forget();
    seen.longestGapMs = 0;
    longestGapAt = undefined;
  }

  function report(): ProducerReport {
    const now = Date.now();
    const openGap = lastAckAt === undefined || stoppedAt !== undefined ? 0 : now - lastAckAt;
    const outages = lanes.flatMap((lane) => lane.outages.list(performance.now(), lane.waitingSince()));
    return {
      role: 'producer',
      now,
      startedAt,
      stopped: stoppedAt !== undefined,
      sent: seen.sent,
      acked: seen.acked,
      unknown: seen.unknown,
      delivery: { acks, idempotent, retries: idempotent, maxInFlight: 1 },
      ledger: sentReport(ledger),
      longestAckGapMs: Math.max(seen.longestGapMs, openGap),
      outages: summedUp(
        outages,
        lanes.map((lane) => lane.outages.dropped),
      ),
      ackRate: rate.perSecond(),
      sendToAck: latency.summary(),
      rebuilds: seen.rebuilds,
      ...(stoppedAt === undefined ? {} : { stoppedAt }),
      ...(lastAckAt === undefined ? {} : { lastAckAt }),
      ...(longestGapAt === undefined ? {} : { longestAckGapAt: longestGapAt }),
      ...(lastError === undefined ? {} : { lastError }),
    };
  }

  return {
    report,
    series: (request) => ({ ...series.report(request), unsent: unsent.report(request) }),
    steady,
    async stop() {
      stoppedAt ??= Date.now();
      await Promise.all(lanes.map((lane) => lane.stop()));
      series.end();
      unsent.end();
      return report();
    },
  };
}
