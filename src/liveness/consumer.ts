import { setTimeout as delay } from 'node:timers/promises';
import type { SilenceEnd } from '../experiment/stream-report.ts';
import { groupRecorder } from '../kafka/group-recorder.ts';
import { connectReader, type ReadRecord, type RecordReader } from '../kafka/streams.ts';
import { clientOptions } from './client-options.ts';
import { type ClientProgress, clientProgress } from './client-progress.ts';
import { readAgain, readToEnd } from './closing-read.ts';
import { startDirectReader, stuckMs } from './direct-reader.ts';
import type { Settings } from './environment.ts';
import { lookAfresh } from './fresh-look.ts';
import type { ConsumerRecord } from './handover.ts';
import { eachMillisecond, latencyRecorder, rateMeter } from './latency.ts';
import { newReadLedger, recordClocks, recordPassed, recordReopened } from './ledger/read.ts';
import { type ReadReport, readReport } from './ledger/read-report.ts';
import type { ConsumerReport } from './protocol.ts';
import type { StreamRecord } from './record.ts';
import { type SideReport, type SideRequest, seriesRecorder } from './series.ts';
import { type Quiet, silencesOf } from './silences.ts';
import { takeDown } from './take-down.ts';

/** A person reads along with `kubectl logs -f`: no more than two lines a second. ms */
const printEveryMs = 500;

/** A gap worth a line. ms */
const noticeableGapMs = 1_000;

/** A client that comes no further for this long is thrown away, once per gap and again after each such time. ms */
const rebuildAfterMs = 8_000;

/** The first record may wait for the group's coordinator, whose topic the cluster may only be making now. ms */
const firstRecordMs = 20_000;

/** What a client that was found stuck gets, at least, to be built anew and join its group before the run is given up. ms */
const stuckGraceMs = 10_000;

/**
 * So many records of a partition a new client reads again: where the log went back and was written anew meanwhile, as after an unclean
 * election, they are others, and the closing of the stream then reads the whole log once more.
 */
const overlap = 100;

/** A client that is thrown away is not waited for any longer. ms */
const leaveMs = 500;

/** The closing read gives up after this. ms */
const closingMs = 20_000;

/** The running consumer. */
export interface RunningConsumer {
  report(): ConsumerReport;
  series(request: SideRequest): SideReport;
  /** The stream has only now begun to flow: times without records until then are no silences. */
  steady(): void;
  /** Silence from now on is nobody's: the producer is about to be stopped, however long it then takes to close. */
  producerStops(): void;
  /** Reads to the end of the log. */
  close(): Promise<ConsumerReport>;
  /** Reads the whole log once more; undefined where it could not be read to its end. */
  again(): Promise<ReadReport | undefined>;
  /** Everything that is known, for those that go on when the container has ended. */
  record(): ConsumerRecord;
  /** Leaves the consumer group, as far as that can be done in a moment: without a word it would keep its member for a session. */
  leave(): Promise<void>;
  /** Resolves with what a fresh client saw when no record came for the consumer time-out. */
  silence: Promise<SilenceEnd>;
}

/** Reads the stream from its beginning and keeps the ledger of what came. */
export function startConsumer(settings: Settings, print: (line: string) => void): RunningConsumer {
  const startedAt = Date.now();
  const ledger = newReadLedger();
  const latency = latencyRecorder();
  const rate = rateMeter();
  const series = seriesRecorder();
  const group = groupRecorder();
  const direct = startDirectReader(settings, (partition) => ledger.partitions.get(partition)?.next ?? 0);
  const seen = { rebuilds: 0 };
  const silences = silencesOf(settings.stream.partitions);
  /** Time from one record of a partition to its next: no silence. ms */
  const paceMs = (settings.stream.partitions * 1_000) / settings.rate;
  const silent = Promise.withResolvers<SilenceEnd>();
  let lastAt: number | undefined;
  let lastError: string | undefined;
  let printedAt = 0;
  let drained = false;
  let ended = false;
  let silence: SilenceEnd | undefined;
  let reader: RecordReader | undefined;
  let progress = clientProgress();
  let clients = 0;
  let rebuiltAt = startedAt;
  let stuck: { partition: number; at: number } | undefined;
  let producerStopsAt: number | undefined;

  function onRecords(records: ReadRecord[], own: ClientProgress): void {
    const before = performance.now();
    const now = Date.now();
    const after = performance.now();
    // Where the process was held up between the two clocks, they do not tell of the same moment.
    if (after - before < 1) recordClocks(ledger, now, after);
    // What a record costs counts at tens of thousands a second: what is the same for many of them is done once.
    const due: number[] = [];
    for (const read of records) {
      const taken = takeDown(ledger, read, settings.runId, now);
      if (!taken) continue;
      // Not a probe's: it shows that the cluster serves, not that the stream flows.
      own.came(read.partition, read.offset, now);
      // A client may read some offsets again; those are ours, not the cluster's.
      if (taken.finding === 'again' || taken.finding === 'stale') continue;
      if (due.length === 0) flows(taken.record, read.offset, now);
      due.push(taken.record.at);
    }
    rate.add(due.length);
    eachMillisecond(due, (at, count) => {
      latency.record(now - at, count);
      series.done(at, count);
    });
  }

  /** The first new record of those that came together. */
  function flows({ partition, sequence, at }: StreamRecord, offset: number, now: number): void {
    const gap = silences.came(partition, now);
    if (gap > noticeableGapMs + paceMs) print(`gap of ${gap} ms before sequence ${sequence}`);
    lastAt = now;
    if (stuck?.partition === partition) stuck = undefined;
    if (now - printedAt < printEveryMs) return;
    printedAt = now;
    print(
      `sequence ${sequence} produced ${new Date(at).toISOString()} received after ${now - at} ms, offset ${offset}`,
    );
  }

  async function watch(): Promise<void> {
    while (!ended) {
      if (producerStopsAt !== undefined) {
        // Silence is expected from here on, but what is in the log still has to be read to its end.
        if (!reader) await rebuild(rebuildAfterMs);
        await delay(100);
        continue;
      }
      const quiet = silences.quietest() ?? { partition: 0, since: startedAt };
      const quietMs = Date.now() - quiet.since - paceMs;
      const patience = lastAt === undefined ? firstRecordMs : rebuildAfterMs;
      const tooLong = quietMs > settings.consumerTimeoutMs && graceIsOver();
      if (tooLong && !isCatchingUp(quiet)) await lookForTheCause(quiet);
      else if (!reader || isOverdue(quiet, quietMs, patience)) await rebuild(patience);
      await delay(100);
    }
  }

  /** Nothing came for that long, or nothing of a partition that others read: a client is not thrown away for what nobody can read. */
  function isOverdue(quiet: Quiet, quietMs: number, patience: number): boolean {
    const now = Date.now();
    if (now - rebuiltAt <= patience) return false;
    if (now - Math.max(rebuiltAt, lastAt ?? 0, progress.movedAt() ?? 0) > patience) return true;
    return quietMs > patience && !isCatchingUp(quiet) && direct.stuckNow(quiet.partition).length > 0;
  }

  /** The client is being given what one before it has read: the cluster serves it, and it is not stuck. */
  function isCatchingUp({ partition, since }: Quiet): boolean {
    const movedAt = progress.movedAt(partition) ?? 0;
    return movedAt > since && Date.now() - movedAt < stuckMs;
  }

  function graceIsOver(): boolean {
    const grace = Math.max(stuckGraceMs, settings.consumerTimeoutMs);
    return stuck === undefined || Date.now() - stuck.at > grace;
  }

  /** A cluster that is out ends the consumer. A client of ours that is stuck on a cluster that serves is built anew, once. */
  async function lookForTheCause(whose: Quiet): Promise<void> {
    const { partition, since } = whose;
    const silentMs = Date.now() - since;
    const proof = direct.stuckNow(partition);
    const next = ledger.partitions.get(partition)?.next ?? 0;
    const fresh = await lookAfresh(settings, { partition, next });
    if (producerStopsAt !== undefined) return;
    const evidence = [...fresh.evidence, ...proof];
    const found = { confirmed: proof.length > 0 ? ('stuck-client' as const) : fresh.confirmed, evidence };
    const quiet = silences.quietest();
    // What came meanwhile answers the question: the stream goes on.
    if (found.confirmed !== 'outage' && ((quiet && quiet.since > since) || isCatchingUp(whose))) return;
    if (found.confirmed === 'stuck-client' && stuck === undefined) {
      stuck = { partition, at: Date.now() };
      lastError = `silent for ${silentMs} ms though ${found.evidence.join('; ')}`;
      print(`no record for ${silentMs} ms, but a fresh client is served: building the client anew`);
      return await rebuild(stuckGraceMs);
    }
    ended = true;
    print(`no record for ${silentMs} ms: giving up`);
    silence = { at: new Date().toISOString(), silentMs, ...found };
    silent.resolve(silence);
  }

  async function rebuild(patience: number): Promise<void> {
    const old = reader;
    reader = undefined;
    rebuiltAt = Date.now();
    if (old) seen.rebuilds++;
    // A client that was thrown away may still deliver, or crash; what it says would mix with what its successor reads.
    const number = clients++;
    const current = () => number === clients - 1;
    const own = clientProgress();
    progress = own;
    let crashed = false;
    await letGo(old);
    const { topic } = settings;
    // A group of its own for each client: a member that died without a word would hold its group up for the session time-out.
    const groupId = `${topic}-${number}`;
    // A little before the one before it stood: from the log's beginning a long stream would take longer than anybody waits.
    const from = new Map(
      [...ledger.partitions].map(([partition, { next }]) => [partition, Math.max(0, next - overlap)]),
    );
    recordReopened(ledger);
    const opening = connectReader({
      ...clientOptions(settings, 'consumer'),
      ...{ topic, groupId, group, from },
      onRecords: (records) => current() && onRecords(records, own),
      onPassed: (partition, next) => current() && recordPassed(ledger, partition, next),
      onRejoined: () => current() && recordReopened(ledger),
      onCrash: (message) => {
        if (!current()) return;
        lastError = message;
        reader = undefined;
        crashed = true;
      },
    });
    try {
      const opened = await Promise.race([
        opening,
        delay(patience).then(() => Promise.reject(new Error('no reader in time'))),
      ]);
      // One may crash while it joins its group.
      if (!crashed) reader = opened;
    } catch (error) {
      lastError = (error as Error).message;
      opening.then(
        (late) => late.close(),
        () => {},
      );
    }
  }

  async function close(): Promise<ConsumerReport> {
    drained ||= await readToEnd(settings, ledger, closingMs);
    ended = true;
    series.end();
    direct.stop();
    return report();
  }

  async function leave(): Promise<void> {
    ended = true;
    const last = reader;
    reader = undefined;
    await letGo(last);
  }

  function report(): ConsumerReport {
    const now = Date.now();
    const { longest } = silences;
    const until = producerStopsAt ?? (ended ? 0 : now);
    const openGap = Math.max(0, until - (silences.quietest()?.since ?? until));
    return {
      role: 'consumer',
      now,
      startedAt,
      received: ledger.received,
      ledger: readReport(ledger),
      longestSilenceMs: Math.max(longest.ms, openGap, silence?.silentMs ?? 0),
      receiveRate: rate.perSecond(),
      sendToReceive: latency.summary(),
      drained,
      rebuilds: seen.rebuilds,
      group: group.figures(),
      direct: direct.figures(),
      ...(lastAt === undefined ? {} : { lastReceivedAt: lastAt }),
      ...(longest.at === undefined ? {} : { longestSilenceAt: longest.at }),
      ...(silence ? { silence } : {}),
      ...(lastError === undefined ? {} : { lastError }),
    };
  }

  void watch().catch((error: Error) => {
    lastError = error.message;
  });
  const record = () => ({ report: report(), series: series.pack() });
  return {
    report,
    series: series.report,
    record,
    steady: () => {
      silences.forget();
      direct.steady();
    },
    producerStops: () => {
      producerStopsAt ??= Date.now();
    },
    close,
    again: () => readAgain(settings),
    leave,
    silence: silent.promise,
  };
}

async function letGo(reader: RecordReader | undefined): Promise<void> {
  await Promise.race([reader?.close().catch(() => {}), delay(leaveMs)]);
}
