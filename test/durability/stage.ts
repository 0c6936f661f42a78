import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Request } from './cluster/api.ts';
import type { OnTheWay } from './cluster/cluster.ts';
import type { ServedCluster } from './cluster/server.ts';
import type { Rig, WorkerProcess } from './rig.ts';
import type { TemporalServer } from './temporal-server.ts';

/** What one cell plays on. */
export interface Stage {
  cluster: ServedCluster;
  server: TemporalServer;
  handle: WorkflowHandle;
  /** The worker that is on now. */
  worker: WorkerProcess;
  /** Another worker on the same queue, beside those that there are. */
  another(settings?: Record<string, string>): WorkerProcess;
  /** Aborts when the cell is over. */
  over: AbortSignal;
}

/** The kind of an event, by the attributes that it has. */
export function eventName(event: object): string {
  const [name = ''] = Object.entries(event).flatMap(([key, value]) =>
    value && key.endsWith('EventAttributes') ? [key.slice(0, -'EventAttributes'.length)] : [],
  );
  return name;
}

/** Comes back as soon as event `n` stands in the run's history. */
export async function eventRecorded({ handle, server, over }: Stage, n: number): Promise<void> {
  const execution = { workflowId: handle.workflowId };
  let nextPageToken: Uint8Array | undefined;
  while (!over.aborted) {
    const read = () =>
      server.client.workflowService.getWorkflowExecutionHistory({
        ...{ namespace: 'default', execution, waitNewEvent: true },
        ...(nextPageToken?.length ? { nextPageToken } : {}),
      });
    // Until the run is there, and while the server is away.
    const page = await server.connection.withAbortSignal(over, read).catch(() => delay(50));
    if (page?.history?.events?.some(({ eventId }) => Number(eventId) >= n)) return;
    nextPageToken = page?.nextPageToken ?? undefined;
  }
}

/** Whether a request is the one that is waited for, by what came before it. */
export type Sight = (what: string, before: string[]) => boolean;

/**
 * Lets `act` happen in the middle of a request, before or after it is carried out; `act` says whether the worker then hears of it.
 * Comes back when `act` has.
 */
export function inTheMiddle(
  { cluster, over }: Stage,
  sight: Sight,
  when: 'before' | 'after',
  act: (request: Request) => Promise<'answered' | 'lost'>,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  over.addEventListener('abort', () => reject(new Error('the point was not reached')), { once: true });
  const seen: string[] = [];
  const usual = cluster.onTheWay;
  cluster.onTheWay = async (request, carryOut) => {
    const { what } = request;
    if (!sight(what, seen)) {
      seen.push(what);
      return usual(request, carryOut);
    }
    cluster.onTheWay = usual;
    const answer = when === 'after' ? carryOut() : undefined;
    const fate = await act(request);
    resolve();
    if (fate === 'lost') return 'lost';
    return answer ?? carryOut();
  };
  return promise;
}

/** Does something to all requests that are meant, for that long. */
export async function disturb({ cluster }: Stage, ms: number, doing: OnTheWay): Promise<void> {
  const usual = cluster.onTheWay;
  cluster.onTheWay = doing;
  cluster.cutWatches();
  await delay(ms);
  cluster.onTheWay = usual;
}

/** A stage with a worker and a run that has just been started. */
export async function openStage(
  rig: Rig,
  name: string,
  options: {
    server: TemporalServer;
    experiment: object;
    /** Settings of the first worker. */
    settings?: Record<string, string>;
    over: AbortSignal;
    begin: (stage: Stage) => void;
  },
): Promise<Stage> {
  const { server, over } = options;
  const cluster = await rig.cluster(name);
  const another = (settings?: Record<string, string>) =>
    rig.worker(cluster, server, name, settings ? { env: settings } : {});
  const handle = server.client.workflow.getHandle(name);
  const stage: Stage = { cluster, server, handle, worker: another(options.settings), another, over };
  options.begin(stage);
  await server.client.workflow.start('kafkaBrokerFailure', {
    ...{ taskQueue: name, workflowId: name, args: [options.experiment] },
    // A worker that dies with a workflow task in its hands is noticed after this.
    workflowTaskTimeout: '2s',
    workflowExecutionTimeout: '10m',
  });
  return stage;
}
