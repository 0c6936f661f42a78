import { setTimeout as delay } from 'node:timers/promises';
import { type Client, type Connection, isGrpcServiceError } from '@temporalio/client';
import type { BilledActions } from '../../experiment/billed-actions.ts';
import { problem } from '../../experiment/errors.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { messageOf } from '../connect-temporal.ts';
import { actionsOf } from './actions.ts';
import { eventDecoder, type RawEvent } from './decode.ts';
import { insistOnType, type OwnType } from './own-type.ts';
import type { RunEvent } from './run-event.ts';

/** gRPC status codes that a person can do something about at once; others are waited out. */
const notFound = 5;
const hopeless = new Set([3, notFound, 7, 12, 16]);

/** The server answers a long poll within 20 s, with nothing where nothing happened. ms */
const patienceMs = 40_000;

/** ContinueAsNewInitiator: a retry or a cron schedule began a run of its own. */
const otherRuns: readonly unknown[] = [2, 3];

/** What is to be read. */
export interface RunRef {
  workflowId: string;
  /** Without it: the newest of that workflow id. */
  runId?: string;
  /** What it has to be; default: a run. */
  type?: OwnType;
}

/**
 * Events of a run as they come, across continue-as-new, until it closes or `signal` aborts. Survives a server that is away:
 * `lost` is told once each time, and reading goes on where it stopped. Throws INPUT_INVALID where there is no such run or it is of
 * another type, TEMPORAL_UNREACHABLE for an answer that no waiting mends.
 */
export async function* followRun(
  access: TemporalAccess,
  run: RunRef,
  options: { signal: AbortSignal; lost?: (message: string) => void },
): AsyncGenerator<RunEvent> {
  for await (const { event } of eventsOf(access, run, { ...options, wait: true })) if (event) yield event;
}

/** All events of a run so far, those of all histories that it went on in included. */
export async function readRun(access: TemporalAccess, run: RunRef): Promise<RunEvent[]> {
  return (await readHistories(access, run)).events;
}

/** A run's events so far, and the Actions that they are billed as, those of all histories that it went on in included. */
export async function readHistories(
  access: TemporalAccess,
  run: RunRef,
): Promise<{ events: RunEvent[]; actions: BilledActions }> {
  const events: RunEvent[] = [];
  const raws: RawEvent[] = [];
  const { signal } = new AbortController();
  for await (const { event, raw } of eventsOf(access, run, { signal, wait: false })) {
    if (event) events.push(event);
    raws.push(raw);
  }
  return { events, actions: actionsOf(raws) };
}

async function* eventsOf(
  access: TemporalAccess,
  run: RunRef,
  options: { signal: AbortSignal; lost?: (message: string) => void; wait: boolean },
): AsyncGenerator<{ raw: RawEvent; event: RunEvent | undefined }> {
  const { client } = access;
  let { runId } = run;
  /** Histories that come after the one that is being read, where that is an earlier one than was asked for. */
  let later: string[] | undefined;
  let seen = 0;
  let token: Uint8Array | undefined;
  let decode = eventDecoder(client.options.loadedDataConverter);
  let told = false;
  while (!options.signal.aborted) {
    let page: Awaited<ReturnType<typeof readPage>>;
    try {
      if (!later) {
        runId ??= await newestRun(access, run.workflowId, options.signal);
        const pinned = { workflowId: run.workflowId, runId };
        later = [...(await earlierRuns(access, pinned, options.signal)), runId];
        runId = later.shift();
      }
      page = await readPage(access, { workflowId: run.workflowId, runId }, token, options);
      told = false;
    } catch (error) {
      if (options.signal.aborted) return;
      if (!options.wait || isHopeless(error)) throw readProblem(error, run);
      if (!told) options.lost?.(messageOf(error));
      told = true;
      // A server that came back may not know the token: read from the start and leave out what was seen.
      token = undefined;
      decode = eventDecoder(client.options.loadedDataConverter);
      await delay(1_000, undefined, { signal: options.signal }).catch(() => undefined);
      continue;
    }
    for (const raw of page.history?.events ?? []) {
      const began = raw.workflowExecutionStartedEventAttributes;
      if (began) insistOnType(run.workflowId, began.workflowType?.name ?? '', run.type);
      const event = await decode(raw);
      const id = Number(raw.eventId);
      if (id <= seen) continue;
      seen = id;
      yield { raw, event };
      if (event?.kind !== 'closed') continue;
      if (later.length === 0 && !event.nextRunId) return;
      runId = later.length > 0 ? later.shift() : event.nextRunId;
      seen = 0;
      decode = eventDecoder(client.options.loadedDataConverter);
      page.nextPageToken = new Uint8Array();
    }
    token = page.nextPageToken?.length ? page.nextPageToken : undefined;
    if (!token && !options.wait && seen > 0) return;
  }
}

/**
 * The run of that workflow id that is the newest now. It is asked for once: by the workflow id alone, a page that is read anew after a
 * lost connection could be one of another history, which the run has gone on in meanwhile.
 */
async function newestRun(access: TemporalAccess, workflowId: string, signal: AbortSignal): Promise<string> {
  const { client, connection, namespace } = access;
  const { workflowExecutionInfo } = await connection.withAbortSignal(signal, () =>
    connection.withDeadline(Date.now() + patienceMs, () =>
      client.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId } }),
    ),
  );
  return workflowExecutionInfo?.execution?.runId ?? '';
}

/**
 * Histories from which the asked one went on, oldest first. Each names the one before it; one that Temporal no longer keeps ends the
 * search.
 */
async function earlierRuns(access: TemporalAccess, run: RunRef, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for (let asked = run; ; ) {
    let begun: Awaited<ReturnType<typeof startOf>>;
    try {
      begun = await startOf(access, asked, signal);
    } catch (error) {
      if (found.length === 0 || !isGrpcServiceError(error) || error.code !== notFound) throw error;
      return found.slice(1);
    }
    const before = otherRuns.includes(begun?.initiator) ? undefined : begun?.continuedExecutionRunId;
    if (!before) return found;
    found.unshift(before);
    asked = { workflowId: run.workflowId, runId: before };
  }
}

async function startOf(access: TemporalAccess, run: RunRef, signal: AbortSignal) {
  const { history } = await readPage(access, run, undefined, { signal, wait: false, size: 1 });
  return history?.events?.[0]?.workflowExecutionStartedEventAttributes;
}

async function readPage(
  { client, connection, namespace }: { client: Client; connection: Connection; namespace: string },
  run: RunRef,
  nextPageToken: Uint8Array | undefined,
  options: { signal: AbortSignal; wait: boolean; size?: number },
) {
  const read = () =>
    client.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId: run.workflowId, ...(run.runId ? { runId: run.runId } : {}) },
      waitNewEvent: options.wait,
      ...(options.size === undefined ? {} : { maximumPageSize: options.size }),
      ...(nextPageToken ? { nextPageToken } : {}),
    });
  return await connection.withAbortSignal(options.signal, () =>
    connection.withDeadline(Date.now() + patienceMs, read),
  );
}

function isHopeless(error: unknown): boolean {
  return isGrpcServiceError(error) && hopeless.has(error.code);
}

function readProblem(error: unknown, run: RunRef) {
  if (isGrpcServiceError(error) && error.code === notFound) {
    return problem('INPUT_INVALID', `there is no run ${run.workflowId}`, {
      evidence: [messageOf(error)],
      next: 'leaderfall list shows those that are kept; TEMPORAL_NAMESPACE may name another namespace.',
      cause: error,
    });
  }
  return problem('TEMPORAL_UNREACHABLE', `the history of ${run.workflowId} cannot be read`, {
    evidence: [messageOf(error)],
    next: 'Try again once Temporal answers; what goes on there is not touched by this.',
    retryable: true,
    cause: error,
  });
}
