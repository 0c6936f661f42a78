import { setTimeout as delay } from 'node:timers/promises';
import type { SilenceEnd } from '../experiment/result.ts';
import { groupRecorder } from '../kafka/group-recorder.ts';
import { connectReader, type ReadRecord, type RecordReader } from '../kafka/streams.ts';
import { clientOptions } from './client-options.ts';
import { readAgain, readToEnd } from './closing-read.ts';
import { startDirectReader } from './direct-reader.ts';
import type { Settings } from './environment.ts';
import { lookAfresh } from './fresh-look.ts';
import { latencyRecorder, rateMeter } from './latency.ts';
import { newReadLedger, recordClocks, recordPassed, recordReopened } from './ledger/read.ts';
import { type ReadReport, readReport } from './ledger/read-report.ts';
import type { ConsumerReport } from './protocol.ts';
import type { StreamRecord } from './record.ts';
import { type SideReport, type SideRequest, seriesRecorder } from './series.ts';
import { takeDown } from './take-down.ts';

/** A person reads along with `kubectl logs -f`: no more than two lines a second. ms */
const printEveryMs = 500;

/** A gap worth a line. ms */
const noticeableGapMs = 1_000;

/** Without a record for this long the client is thrown away, once per gap and again after each such time. ms */
const rebuildAfterMs = 8_000;

/** The first record may wait for the group's coordinator, whose topic the cluster may only be making now. ms */
const firstRecordMs = 20_000;

/** What a client that was found stuck gets, at least, to be built anew and join its group before the run is given up. ms */
const stuckGraceMs = 10_000;

/** A client that is thrown away is not waited for any longer. ms */
const leaveMs = 500;

/** The closing read gives up after this. ms */
const closingMs = 20_000;

/** The running consumer. */
export interface RunningConsumer {
  report(): ConsumerReport;
  series(request: SideRequest): SideReport;
  /** Reads to the end of the log. */
  close(): Promise<ConsumerReport>;
  /** Reads the whole log once more; undefined where it could not be read to its end. */
  again(): Promise<ReadReport | undefined>;
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
  const seen = { longestSilenceMs: 0, rebuilds: 0 };
  const silent = Promise.withResolvers<SilenceEnd>();
  let lastAt: number | undefined;
  let longestAt: number | undefined;
  let lastError: string | undefined;
  let printedAt = 0;
  let drained = false;
  let ended = false;
  let silence: SilenceEnd | undefined;
  let reader: RecordReader | undefined;
  let rebuiltAt = startedAt;
  let stuckAt: number | undefined;

  function onRecords(records: ReadRecord[]): void {
    const before = performance.now();
    const now = Date.now();
    const after = performance.now();
    // Where the process was held up between the two clocks, they do not tell of the same moment.
    if (after - before < 1) recordClocks(ledger, now, after);
    for (const read of records) {
      const taken = takeDown(ledger, read, settings.runId, now);
      // A rebuilt client reads some offsets again; those are ours, not the cluster's.
      if (taken && taken.finding !== 'again' && taken.finding !== 'stale') {
        account(taken.record, read.offset, now);
      }
    }
  }

  function account({ sequence, at }: StreamRecord, offset: bigint, now: number): void {
    const gap = lastAt === undefined ? 0 : now - lastAt;
    if (gap > noticeableGapMs) print(`gap of ${gap} ms before sequence ${sequence}`);
    if (gap > seen.longestSilenceMs) {
      seen.longestSilenceMs = gap;
      longestAt = lastAt;
    }
    lastAt = now;
    stuckAt = undefined;
    rate.add(1);
    latency.record(now - at);
    series.done(at);
    if (now - printedAt >= printEveryMs) {
      printedAt = now;
      print(
        `sequence ${sequence} produced ${new Date(at).toISOString()} received after ${now - at} ms, offset ${offset}`,
      );
    }
  }

  async function watch(): Promise<void> {
    while (!ended) {
      const quietSince = lastAt ?? startedAt;
      const quiet = Date.now() - quietSince;
      const patience = lastAt === undefined ? firstRecordMs : rebuildAfterMs;
      if (quiet > settings.consumerTimeoutMs && graceIsOver()) await lookForTheCause(quietSince);
      else if (!reader || Date.now() - Math.max(quietSince, rebuiltAt) > patience) await rebuild(patience);
      await delay(100);
    }
  }

  function graceIsOver(): boolean {
    const grace = Math.max(stuckGraceMs, settings.consumerTimeoutMs);
    return stuckAt === undefined || Date.now() - stuckAt > grace;
  }

  /** A cluster that is out ends the consumer. A client of ours that is stuck on a cluster that serves is built anew, once. */
  async function lookForTheCause(quietSince: number): Promise<void> {
    const silentMs = Date.now() - quietSince;
    const proof = direct.stuckNow();
    const fresh = await lookAfresh(settings, nextOffsets());
    const evidence = [...fresh.evidence, ...proof];
    const found = { confirmed: proof.length > 0 ? ('stuck-client' as const) : fresh.confirmed, evidence };
    // What came meanwhile answers the question: the stream goes on.
    if (lastAt !== undefined && lastAt > quietSince && found.confirmed !== 'outage') return;
    if (found.confirmed === 'stuck-client' && stuckAt === undefined) {
      stuckAt = Date.now();
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
    await letGo(old);
    const { topic } = settings;
    // A group of its own for each client: a member that died without a word would hold its group up for the session time-out.
    const groupId = `${topic}-${seen.rebuilds}`;
    // A client that was thrown away may still deliver; what it says would mix with what its successor reads.
    const generation = seen.rebuilds;
    const current = () => generation === seen.rebuilds;
    recordReopened(ledger);
    const opening = connectReader({
      ...clientOptions(settings, 'consumer'),
      ...{ topic, groupId, group },
      onRecords: (records) => current() && onRecords(records),
      onPassed: (partition, next) => current() && recordPassed(ledger, partition, next),
      onRejoined: () => current() && recordReopened(ledger),
      onCrash: (message) => {
        lastError = message;
        reader = undefined;
      },
    });
    try {
      reader = await Promise.race([
        opening,
        delay(patience).then(() => Promise.reject(new Error('no reader in time'))),
      ]);
    } catch (error) {
      lastError = (error as Error).message;
      opening.then(
        (late) => late.close(),
        () => {},
      );
    }
  }

  function nextOffsets(): Map<number, number> {
    return new Map([...ledger.partitions].map(([partition, { next }]) => [partition, next]));
  }

  async function close(): Promise<ConsumerReport> {
    drained ||= await readToEnd(settings, ledger, closingMs);
    ended = true;
    series.end();
    direct.stop();
    return report();
  }

  async function again(): Promise<ReadReport | undefined> {
    const log = await readAgain(settings);
    return log && readReport(log);
  }

  async function leave(): Promise<void> {
    ended = true;
    const last = reader;
    reader = undefined;
    await letGo(last);
  }

  function report(): ConsumerReport {
    const now = Date.now();
    const openGap = lastAt === undefined || ended ? 0 : now - lastAt;
    return {
      role: 'consumer',
      now,
      startedAt,
      received: ledger.received,
      ledger: readReport(ledger),
      longestSilenceMs: Math.max(seen.longestSilenceMs, openGap, silence?.silentMs ?? 0),
      receiveRate: rate.perSecond(),
      sendToReceive: latency.summary(),
      drained,
      rebuilds: seen.rebuilds,
      group: group.figures(),
      direct: direct.figures(),
      ...(lastAt === undefined ? {} : { lastReceivedAt: lastAt }),
      ...(longestAt === undefined ? {} : { longestSilenceAt: longestAt }),
      ...(silence ? { silence } : {}),
      ...(lastError === undefined ? {} : { lastError }),
    };
  }

  void watch().catch((error: Error) => {
    lastError = error.message;
  });
  return { report, series: series.report, close, again, leave, silence: silent.promise };
}

async function letGo(reader: RecordReader | undefined): Promise<void> {
  await Promise.race([reader?.close().catch(() => {}), delay(leaveMs)]);
}
