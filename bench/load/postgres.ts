import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ended, isRunning } from '../../test/support/child-process.ts';
import { freePort } from '../../test/support/free-port.ts';

/** A PostgreSQL of its own, with its default settings, which flush every commit. */
export interface Postgres {
  port: number;
  /** Of the process that has all others as its children. */
  pid: number;
  stop(): Promise<void>;
}

/** Its superuser, who needs no password from this machine. */
export const postgresUser = 'temporal';

/** Starts one with an empty store; everything goes with `stop`. Throws where Debian's package is not installed. */
export async function startPostgres(): Promise<Postgres> {
  const initdb = globSync('/usr/lib/postgresql/*/bin/initdb').at(-1);
  if (!initdb) throw new Error('there is no PostgreSQL here: apt-get install postgresql');
  // It refuses to be root's.
  const [uid = 0, gid = 0] = ['-u', '-g'].map((what) =>
    Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' })),
  );
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-postgres-'));
  let server: ChildProcess | undefined;
  const stop = async () => {
    // Without waiting for those who are connected.
    if (server) await ended(server, 'SIGINT');
    rmSync(folder, { recursive: true });
  };
  try {
    chownSync(folder, uid, gid);
    const data = join(folder, 'data');
    const own = { uid, gid, cwd: folder };
    execFileSync(initdb, ['-D', data, '-U', postgresUser, '--auth=trust'], { ...own, stdio: 'pipe' });
    const port = await freePort();
    const settings = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${folder}`,
      'max_connections=200',
    ];
    server = spawn(
      join(dirname(initdb), 'postgres'),
      ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
      { ...own, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const ready = join(dirname(initdb), 'pg_isready');
    for (let tries = 0; !succeeds(ready, ['-h', '127.0.0.1', '-p', String(port), '-q']); tries++) {
      if (tries > 100 || !isRunning(server)) throw new Error('PostgreSQL does not start: see above');
      await delay(200);
    }
    return { port, pid: server.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function succeeds(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args);
    return true;
  } catch {
    return false;
  }
}
