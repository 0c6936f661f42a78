import { createServer, type Server } from 'node:http';
import { containerProcess, isSame } from './container-process.ts';
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

/** Kills that container's first process once, and never after its time; asked again it answers as the first time. */
export function makeExecutor(environment: CrashEnvironment, around: Surroundings): () => CrashOutcome {
  const { CRASH_POD_UID: podUid, CRASH_CONTAINER_ID: containerId } = environment;
  let done: CrashOutcome | undefined;
  const act = (): CrashOutcome => {
    const found = containerProcess(podUid, containerId, around.proc);
    if (!found) return { outcome: 'gone', at: around.now() };
    const { pid } = found;
    const at = around.now();
    // Every fence right before the signal; nothing waits in between.
    if (at > Number(environment.CRASH_NOT_AFTER)) return { outcome: 'late', at };
    around.note({ outcome: 'killing', at, pid });
    if (!isSame(found, podUid, containerId, around.proc)) return { outcome: 'gone', at };
    around.kill(pid);
    return { outcome: 'killed', at, pid };
  };
  return () => {
    if (!done) {
      done = act();
      around.note(done);
    }
    return done;
  };
}

/**
 * GET /healthz: ready. POST /kill?container=ID: acts, answers with the outcome, and calls `ended`. Who cannot name the container has
 * no business here.
 */
export function serveExecutor(
  environment: CrashEnvironment,
  execute: () => CrashOutcome,
  ended: () => void,
): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://pod');
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.method === 'GET' && url.pathname === '/healthz') return answer(200, { armed: true });
    if (request.method !== 'POST' || url.pathname !== '/kill') return answer(404, {});
    if (url.searchParams.get('container') !== environment.CRASH_CONTAINER_ID) return answer(403, {});
    response.on('finish', ended);
    return answer(200, execute());
  });
}
