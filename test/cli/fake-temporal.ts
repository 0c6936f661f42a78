import {
  DefaultFailureConverter,
  defaultPayloadConverter,
  type LoadedDataConverter,
} from '@temporalio/common';
import type { TemporalAccess } from '../../src/cli/connect-temporal.ts';
import type { RawEvent } from '../../src/cli/history/decode.ts';

/** What a fake Temporal knows of one workflow id. */
export interface FakeTemporal {
  type: string;
  /** Histories by run id, oldest first: the last is the newest. */
  runs: Map<string, RawEvent[]>;
  /** Called before each answer to a read of history, with its number from 1; may throw, and change what there is. */
  before(read: number): void;
  /** Names of signals that came. */
  signals: string[];
  /** Reads of history so far. */
  reads: number;
}

/** An answer of the server that is an error, by its gRPC status. */
export function grpcError(code: number, details: string): Error {
  return Object.assign(new Error(details), { code, details, metadata: {} });
}

/** One event, numbered by its place. */
export function rawHistory(...events: RawEvent[]): RawEvent[] {
  return events.map((event, index) => ({ eventId: (index + 1) as unknown as RawEvent['eventId'], ...event }));
}

export const startedEvent: RawEvent = { workflowExecutionStartedEventAttributes: {} };
export const completedEvent: RawEvent = { workflowExecutionCompletedEventAttributes: {} };

/** The two events of an activity that gave `result`, the first of which is in that place. */
export function activityEvents(place: number, name: string, result: unknown): RawEvent[] {
  const payloads = [defaultPayloadConverter.toPayload(result)];
  const scheduledEventId = place as unknown as RawEvent['eventId'];
  return [
    { activityTaskScheduledEventAttributes: { activityType: { name } } },
    { activityTaskCompletedEventAttributes: { scheduledEventId, result: { payloads } } },
  ];
}

export function fakeTemporal(type: string, runs: Record<string, RawEvent[]>): FakeTemporal {
  return { type, runs: new Map(Object.entries(runs)), before: () => {}, signals: [], reads: 0 };
}

/** An event that begins a workflow names its type. */
function ofType(name: string, event: RawEvent): RawEvent {
  const { workflowExecutionStartedEventAttributes: began } = event;
  return began
    ? { ...event, workflowExecutionStartedEventAttributes: { ...began, workflowType: { name } } }
    : event;
}

interface ReadRequest {
  execution: { runId?: string };
  waitNewEvent?: boolean;
  nextPageToken?: Uint8Array;
}

/** A connection to it: list, describe, signals, and history with its long poll and page tokens, which hold a run's id as the server's do. */
export function accessTo(temporal: FakeTemporal): TemporalAccess {
  const newest = () => [...temporal.runs.keys()].at(-1) ?? '';
  const isClosed = (runId: string) => {
    const last = temporal.runs.get(runId)?.at(-1) ?? {};
    return Object.keys(last).some((key) => /^workflowExecution(?!Started|Signaled|CancelReq)/.test(key));
  };
  const read = async ({ execution, waitNewEvent = false, nextPageToken }: ReadRequest) => {
    temporal.before(++temporal.reads);
    const token = nextPageToken ? Buffer.from(nextPageToken).toString().split(' ') : [];
    const runId = token[0] ?? execution.runId ?? newest();
    const from = Number(token[1] ?? 0);
    const events = (temporal.runs.get(runId) ?? []).slice(from).map((event) => ofType(temporal.type, event));
    // The long poll, without the wait of up to 20 s.
    if (waitNewEvent && events.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const more = waitNewEvent && !isClosed(runId);
    return {
      history: { events },
      nextPageToken: more ? Buffer.from(`${runId} ${from + events.length}`) : new Uint8Array(),
    };
  };
  const describe = async () => ({
    type: temporal.type,
    runId: newest(),
    status: { name: isClosed(newest()) ? 'COMPLETED' : 'RUNNING' },
  });
  const list = async function* () {
    for (const runId of temporal.runs.keys()) yield { workflowId: 'listed', runId, startTime: new Date(0) };
  };
  const signal = async (name: string) => void temporal.signals.push(name);
  const bounded = (_limit: unknown, act: () => unknown) => act();
  const loadedDataConverter: LoadedDataConverter = {
    payloadConverter: defaultPayloadConverter,
    failureConverter: new DefaultFailureConverter(),
    payloadCodecs: [],
  };
  return {
    address: 'fake',
    namespace: 'default',
    connection: { withAbortSignal: bounded, withDeadline: bounded },
    client: {
      options: { loadedDataConverter },
      workflow: { list, getHandle: () => ({ describe, signal }) },
      workflowService: {
        getWorkflowExecutionHistory: read,
        describeWorkflowExecution: async () => ({
          workflowExecutionInfo: { execution: { runId: newest() } },
        }),
      },
    },
  } as unknown as TemporalAccess;
}
