import { closeLedger } from '../../src/liveness/ledger/close.ts';
import { newReadLedger, recordEnd, recordRead } from '../../src/liveness/ledger/read.ts';
import { readFrom, readReport } from '../../src/liveness/ledger/read-report.ts';
import {
  newSentLedger,
  recordAcked,
  recordUnknown,
  sentFrom,
  sentReport,
} from '../../src/liveness/ledger/sent.ts';
import { readBytes, sentBytes } from '../../src/liveness/ledger/size.ts';
import { listOf } from '../../src/liveness/ledger/tally.ts';

/** What the ledger costs at a load; in a process of its own, so that the memory is the ledger's. */
export interface LedgerCost {
  records: number;
  batches: number;
  /** Sent and read, both sides, ns. */
  nsPerRecord: number;
  /** Typed arrays of both sides, MiB. */
  ledgerMiB: number;
  /** Largest resident memory of the process, Node itself and the way through JSON included, MiB. */
  peakMiB: number;
  /** From the last record to the list of anomalies, both sides sent as JSON, s. */
  afterEndSeconds: number;
  /** The same with all the records taken down before, s. */
  verdictSeconds: number;
  anomalies: string[];
}

const records = 10_000_000;
const perBatch = 10;
const producers = 4;
const partitions = 3;

/** Producers take turns, so that no batch lies beside one of its own; now and then one is lost, doubled or not answered. */
function measure(): LedgerCost {
  const read = newReadLedger();
  const sent = Array.from({ length: producers }, (_, producer) => newSentLedger(producer));
  const next = Array.from({ length: producers }, () => new Array<number>(partitions).fill(0));
  const ends = new Array<number>(partitions).fill(0);
  const batches = records / perBatch;
  const started = performance.now();
  for (let batch = 0; batch < batches; batch++) {
    const producer = batch % producers;
    const partition = Math.floor(batch / producers) % partitions;
    const first = next[producer]?.[partition] ?? 0;
    const offset = ends[partition] ?? 0;
    const numbers = next[producer];
    if (numbers) numbers[partition] = first + perBatch;
    ends[partition] = offset + perBatch;
    const ledger = sent[producer];
    if (!ledger) continue;
    ledger.triedAt = batch;
    if (batch % 5_000 === 17) recordUnknown(ledger, partition, first, perBatch);
    else recordAcked(ledger, partition, first, perBatch, offset);
    if (batch % 10_000 === 23) continue;
    for (let step = 0; step < perBatch; step++) {
      const sequence = first + step;
      recordRead(read, { partition, offset: offset + step, producer, sequence, due: batch }, batch);
    }
  }
  for (const [partition, end] of ends.entries()) recordEnd(read, partition, end);
  const ended = performance.now();
  const tally = closeLedger({
    sent: sent.map((ledger) => sentFrom(JSON.parse(JSON.stringify(sentReport(ledger))))),
    live: readFrom(JSON.parse(JSON.stringify(readReport(read)))),
    producers: sent.map(({ producer }) => producer),
    stoppedAt: batches,
  });
  const told = performance.now();
  const bytes = readBytes(read) + sent.reduce((sum, ledger) => sum + sentBytes(ledger), 0);
  return {
    records,
    batches,
    nsPerRecord: Math.round(((ended - started) * 1e6) / records),
    ledgerMiB: Math.round((bytes / 2 ** 20) * 10) / 10,
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1_024),
    afterEndSeconds: Math.round(told - ended) / 1_000,
    verdictSeconds: Math.round(told - started) / 1_000,
    anomalies: listOf(tally).map(({ kind, count }) => `${kind} ${count}`),
  };
}

if (import.meta.main) console.log(JSON.stringify(measure()));
