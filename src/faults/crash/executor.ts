import { createServer, type Server } from 'node:http';
import { type ContainerProcess, containerProcess, hasEnded, isSame } from './container-process.ts';
import type { CrashEnvironment, CrashOutcome } from './protocol.ts';

/** What the program may do to its surroundings; replaced in tests. */
export interface Surroundings {
  now(): number;
  /** Sends SIGKILL. */
  kill(pid: number): void;
  /** Keeps what was done for whoever asks after this program has ended. */
  note(outcome: CrashOutcome): void;
  proc: string;
}

/** How long a process is looked at that was sent SIGKILL, and how often. ms */
const endMs = 1_000;
const lookMs = 2;

/**
 * Kills that container's first process once, and never after its time; asked again it answers as the first time. It stays until the
 * process is dead: nobody else may be there to see it before its container's next life ends as well.
 */
export function makeExecutor(
  environment: CrashEnvironment,
  around: Surroundings,
): () => Promise<CrashOutcome> {
  const { CRASH_POD_UID: podUid, CRASH_CONTAINER_ID: containerId } = environment;
  let done: Promise<CrashOutcome> | undefined;
  const act = async (): Promise<CrashOutcome> => {
    const found = containerProcess(podUid, containerId, around.proc);
    if (!found) return { outcome: 'gone', at: around.now() };
    const { pid } = found;
    const at = around.now();
    // Every fence right before the signal; nothing waits in between.
    if (at > Number(environment.CRASH_NOT_AFTER)) return { outcome: 'late', at };
    around.note({ outcome: 'killing', at, pid });
    const alive = isSame(found, podUid, containerId, around.proc) && !hasEnded(found, around.proc);
    if (!alive) return { outcome: 'gone', at };
    around.kill(pid);
    around.note({ outcome: 'killed', at, pid });
    const endedAfterMs = await untilEnded(found, around.proc);
    return { outcome: 'killed', at, pid, ...(endedAfterMs === undefined ? {} : { endedAfterMs }) };
  };
  const actOnce = async () => {
    const outcome = await act();
    around.note(outcome);
    return outcome;
  };
  return () => {
    done ??= actOnce();
    return done;
  };
}

/** Milliseconds until that process was dead; undefined where it would not die. */
async function untilEnded(process: ContainerProcess, proc: string): Promise<number | undefined> {
  const began = performance.now();
  for (;;) {
    const ms = Math.round(performance.now() - began);
    if (hasEnded(process, proc)) return ms;
    if (ms >= endMs) return undefined;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/**
 * GET /healthz: ready, until it is asked to act. POST /kill?container=ID: acts, answers with the outcome, and calls `ended`. Who
 * cannot name the container has no business here.
 */
export function serveExecutor(
  environment: CrashEnvironment,
  execute: () => Promise<CrashOutcome>,
  ended: () => void,
): Server {
  let asked = false;
  return createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://pod');
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.method === 'GET' && url.pathname === '/healthz')
      return answer(asked ? 409 : 200, { armed: !asked });
    if (request.method !== 'POST' || url.pathname !== '/kill') return answer(404, {});
    if (url.searchParams.get('container') !== environment.CRASH_CONTAINER_ID) return answer(403, {});
    asked = true;
    const outcome = await execute();
    // Whoever asked may be gone by now; the termination message has it all.
    if (response.closed) return ended();
    response.on('close', ended);
    return answer(200, outcome);
  });
}
