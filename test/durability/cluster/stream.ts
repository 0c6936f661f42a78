import { newReadLedger, recordEnd, recordRead } from '../../../src/liveness/ledger/read.ts';
import { readReport } from '../../../src/liveness/ledger/read-report.ts';
import { newSentLedger, recordAcked, sentReport } from '../../../src/liveness/ledger/sent.ts';
import {
  type ConsumerReport,
  livenessPorts,
  type ObserverReport,
  type ProducerReport,
} from '../../../src/liveness/protocol.ts';
import type { SimulatedKafka } from './kafka.ts';

/** Records a second of the stream. */
export const ratePerSecond = 10;

/** The stream of a liveness pod, which nothing disturbs: what is asked of its containers is answered by the clock. */
export interface SimulatedStream {
  answer(port: number, request: string): { status: number; body: unknown };
}

const latency = { p50: 3, p99: 9, max: 20, count: 100 };

/** Starts one. */
export function simulatedStream(kafka: SimulatedKafka, topic: string): SimulatedStream {
  const startedAt = Date.now();
  let stoppedAt: number | undefined;
  const records = () => Math.floor((((stoppedAt ?? Date.now()) - startedAt) / 1_000) * ratePerSecond);
  const producer = (): ProducerReport => {
    const ledger = newSentLedger(0);
    recordAcked(ledger, 0, 0, records(), 0);
    ledger.triedAt = stoppedAt ?? Date.now();
    return {
      ...{ role: 'producer', now: Date.now(), startedAt, stopped: stoppedAt !== undefined, rebuilds: 0 },
      ...{ sent: records(), acked: records(), unknown: 0, ackRate: ratePerSecond, longestAckGapMs: 120 },
      delivery: { acks: 'all', idempotent: true, retries: true, maxInFlight: 1 },
      ledger: sentReport(ledger),
      sendToAck: latency,
      ...(stoppedAt === undefined ? {} : { stoppedAt }),
    };
  };
  const consumer = (drained: boolean): ConsumerReport => {
    const ledger = newReadLedger();
    for (let offset = 0; offset < records(); offset++) {
      const due = startedAt + (offset * 1_000) / ratePerSecond;
      recordRead(ledger, { partition: 0, producer: 0, sequence: offset, offset, due }, due);
    }
    if (drained) recordEnd(ledger, 0, records());
    return {
      ...{ role: 'consumer', now: Date.now(), startedAt, received: records(), receiveRate: ratePerSecond },
      ...{ ledger: readReport(ledger), longestSilenceMs: 120, sendToReceive: latency, drained, rebuilds: 0 },
    };
  };
  const observer = (since: number): ObserverReport => {
    const { partitions, controller, brokers } = kafka.metadata([topic]);
    const { leader = -1, leaderEpoch = -1, isr = [], replicas = [] } = partitions[0] ?? {};
    return {
      ...{ role: 'observer', now: Date.now(), startedAt, samples: 100, longestGapMs: 12, stepMs: 10 },
      current: { leader, leaderEpoch, isr, replicas, controller, brokers: brokers.map(({ id }) => id) },
      observations: kafka.observations.filter(({ at }) => at >= since),
      partitionOutages: { count: 0, totalMs: 0, longestMs: 0, stepMs: 3, floorMs: 6, longest: [] },
      probes: { sent: 100, worstLateMs: 1, blindMs: 0 },
    };
  };
  return {
    answer: (port, request) => {
      const [method, path = ''] = request.split(' ');
      const { pathname, searchParams } = new URL(path, 'http://pod');
      switch (`${method} ${port} ${pathname}`) {
        case `GET ${livenessPorts.producer} /report`:
          return { status: 200, body: producer() };
        case `POST ${livenessPorts.producer} /stop`:
          stoppedAt ??= Date.now();
          return { status: 200, body: producer() };
        case `GET ${livenessPorts.consumer} /report`:
          return { status: 200, body: consumer(false) };
        case `POST ${livenessPorts.consumer} /close`:
          return { status: 200, body: consumer(true) };
        case `GET ${livenessPorts.observer} /report`:
          return { status: 200, body: observer(Number(searchParams.get('since'))) };
        default:
          return { status: 404, body: {} };
      }
    },
  };
}
