import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../test/support/free-port.ts';

/** A PostgreSQL of its own, with Debian's settings, which flush every commit. */
export interface Postgres {
  port: number;
  /** Of all its processes that are on now. */
  pids(): number[];
  stop(): Promise<void>;
}

/** Its superuser, who needs no password from this machine. */
export const postgresUser = 'temporal';

/** Starts one with an empty store; everything goes with `stop`. Throws where Debian's package is not installed. */
export async function startPostgres(): Promise<Postgres> {
  const [initdb] = globSync('/usr/lib/postgresql/*/bin/initdb').toSorted().toReversed();
  if (!initdb) throw new Error('there is no PostgreSQL here: apt-get install postgresql');
  // It refuses to be root's.
  const [uid, gid] = ['-u', '-g'].map((what) =>
    Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' })),
  );
  const own = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-postgres-'));
  chownSync(folder, uid ?? 0, gid ?? 0);
  const data = join(folder, 'data');
  execFileSync(initdb, ['-D', data, '-U', postgresUser, '--auth=trust'], { ...own, cwd: folder });
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'max_connections=200'];
  const server = spawn(
    join(dirname(initdb), 'postgres'),
    ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { ...own, cwd: folder, stdio: 'ignore' },
  );
  const ready = join(dirname(initdb), 'pg_isready');
  for (let tries = 0; !succeeds(ready, ['-h', '127.0.0.1', '-p', String(port), '-q']); tries++) {
    if (tries > 100 || server.exitCode !== null) throw new Error('PostgreSQL does not start');
    await delay(200);
  }
  const pid = server.pid ?? 0;
  return {
    port,
    pids: () => [pid, ...childrenOf(pid)],
    stop: async () => {
      const exit = once(server, 'exit');
      // Without waiting for those who are connected.
      server.kill('SIGINT');
      await exit;
      rmSync(folder, { recursive: true });
    },
  };
}

function succeeds(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args);
    return true;
  } catch {
    return false;
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/stat`))
    .filter((name) => Number(statOf(name)[1]) === parent)
    .map(Number);
}

/** State, parent … of a process; nothing where it has just gone. */
function statOf(pid: string): string[] {
  try {
    // The program's name, in brackets, may hold spaces.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  } catch {
    return [];
  }
}
