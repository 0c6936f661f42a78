import { setTimeout as delay } from 'node:timers/promises';
import { withoutHosts } from '../experiment/without-hosts.ts';
import { connectKafka } from '../kafka/connect-kafka.ts';
import type { KafkaPort } from '../kafka/port.ts';
import { connectReader } from '../kafka/streams.ts';
import { clientOptions } from './client-options.ts';
import type { Settings } from './environment.ts';
import { newReadLedger, type ReadLedger, recordEnd, recordPassed } from './ledger/read.ts';
import { type ReadReport, readReport } from './ledger/read-report.ts';
import { takeDown } from './take-down.ts';

/** Between two looks at the log's end. ms */
const lookMs = 50;

/** An end below what was read must hold still for this long: a leader of a moment ago may not know its own yet. ms */
const wentBackMs = 2_000;

/** The whole log is read once more within this. ms */
const againMs = 60_000;

/** A client that could not read, or gave up, is followed by another one after this. ms */
const anotherMs = 500;

/**
 * Waits until a reader has come to the end of every partition: to its last stable offset, which is asked anew until it holds still,
 * so that a record whose answer was lost and that the log took late is still read. Says whether it came there in time and before
 * `signal` aborted.
 */
export async function readToEnd(
  settings: Settings,
  ledger: ReadLedger,
  patienceMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const kafka = connectKafka(clientOptions(settings, 'close'));
  const deadline = Date.now() + patienceMs;
  let before = '';
  let since = 0;
  try {
    while (Date.now() < deadline && !signal?.aborted) {
      const ends = await endsOf(kafka, settings.topic);
      if (before !== String(ends)) {
        before = String(ends);
        since = Date.now();
      } else if (ends && isThere(ledger, ends, Date.now() - since)) {
        for (const [partition, end] of ends) recordEnd(ledger, partition, end);
        return true;
      }
      await delay(lookMs);
    }
    return false;
  } finally {
    await kafka.close();
  }
}

/**
 * Reads the whole log from its beginning by a client of its own; undefined where it did not come to the end in time. The brokers may
 * have come back only just: a client that finds no coordinator, or gives up, is followed by another one.
 */
export async function readAgain(settings: Settings): Promise<ReadReport | undefined> {
  const deadline = Date.now() + againMs;
  while (Date.now() < deadline) {
    const report = await readOnce(settings, deadline - Date.now()).catch((error: Error) => {
      console.error(`the log cannot be read once more yet: ${withoutHosts(error.message)}`);
      return undefined;
    });
    if (report) return report;
    await delay(anotherMs);
  }
  return undefined;
}

async function readOnce(settings: Settings, patienceMs: number): Promise<ReadReport | undefined> {
  const ledger = newReadLedger();
  const { topic, runId } = settings;
  const gaveUp = new AbortController();
  const reader = await connectReader({
    ...clientOptions(settings, 'again'),
    topic,
    // By a number, as those of the consumer's clients: what removes the run's groups knows them by it.
    groupId: `${topic}-${Date.now()}`,
    onRecords: (records) => {
      for (const record of records) takeDown(ledger, record, runId, Date.now());
    },
    onPassed: (partition, next) => recordPassed(ledger, partition, next),
    onCrash: () => gaveUp.abort(),
  });
  try {
    const there = await readToEnd(settings, ledger, patienceMs, gaveUp.signal);
    return there ? readReport(ledger) : undefined;
  } finally {
    await Promise.race([reader.close().catch(() => {}), delay(500)]);
  }
}

/** Whether the reader has come to ends that have held still for some ms. */
function isThere({ partitions }: ReadLedger, ends: [number, number][], heldMs: number): boolean {
  return ends.every(([partition, end]) => {
    const next = partitions.get(partition)?.next ?? 0;
    return next === end || (next > end && heldMs >= wentBackMs);
  });
}

async function endsOf(kafka: KafkaPort, topic: string): Promise<[number, number][] | undefined> {
  const ends = await kafka.endOffsets(topic).catch(() => undefined);
  return ends && [...ends].map(([partition, end]) => [partition, Number(end)]);
}
