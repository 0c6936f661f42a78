import { setTimeout as delay } from 'node:timers/promises';
import { type Cell, takeOverMs } from './cell.ts';
import { replaceWorker } from './points.ts';
import { eventRecorded, type Stage } from './stage.ts';

/** A server that wants a new history as soon as a kill has been proven: the second kill is the next history's. */
const ownServer = { suggestNewHistoryFrom: 20 };

/** Comes back as soon as the run goes on in a new history. */
async function newHistory({ server, handle, over }: Stage): Promise<void> {
  const describe = () => server.client.workflow.getHandle(handle.workflowId).describe();
  let first: string | undefined;
  while (!over.aborted) {
    const now = await describe().catch(() => undefined);
    first ??= now?.runId;
    if (now && now.runId !== first) return;
    await delay(20);
  }
  throw new Error('the run never went on in a new history');
}

/** Something happens where a run goes on in a new history, or to the first events of that. */
function border(
  name: string,
  what: string,
  act: (stage: Stage) => Promise<void>,
  delaysMs = takeOverMs,
): Cell {
  return {
    ...{
      name: `border-${name}`,
      what: `as the run goes on in a new history: ${what}`,
      ...{ ownServer, delaysMs },
    },
    disturb: async (stage) => {
      await newHistory(stage);
      await act(stage);
    },
  };
}

export const borders: Cell[] = [
  border('nothing', 'nothing happens', async () => {}, 0),
  border('worker', 'worker killed', replaceWorker),
  ...[3, 4, 5, 6].map((n) =>
    border(`worker-${n}`, `worker killed at event ${n} of that`, async (stage) => {
      await eventRecorded(stage, n);
      await replaceWorker(stage);
    }),
  ),
  border('server', 'Temporal server killed', ({ server }) => server.crash(2_000)),
  border('zombie', 'worker frozen, woken beside its successor', async (stage) => {
    const old = stage.worker;
    old.freeze();
    stage.worker = stage.another();
    await delay(15_000);
    old.wake();
  }),
];
