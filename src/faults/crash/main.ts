import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { makeExecutor, serveExecutor } from './executor.ts';
import { crashPort } from './protocol.ts';

/** The program in the privileged pod: waits to be asked, sends one SIGKILL, ends. */
const environment = z
  .object({
    CRASH_POD_UID: z.string().min(1),
    CRASH_CONTAINER_ID: z.string().min(12),
    CRASH_NOT_AFTER: z.string().regex(/^\d+$/),
  })
  .parse(process.env);

const execute = makeExecutor(environment, {
  now: Date.now,
  kill: (pid) => process.kill(pid, 'SIGKILL'),
  note: (outcome) => writeFileSync('/dev/termination-log', JSON.stringify(outcome)),
  proc: '/proc',
});

process.on('SIGTERM', () => process.exit(0));
serveExecutor(environment, execute, () => process.exit(0)).listen(crashPort);
