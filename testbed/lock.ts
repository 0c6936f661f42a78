import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { paths } from './paths.ts';
import { startTimeOf } from './process.ts';

/** One `up` or `down` at a time; gives the release. Throws where another holds it, takes over from one that is gone. */
export function lock(): () => void {
  const file = `${paths.root}/lock`;
  const own = `${file}.${process.pid}`;
  mkdirSync(paths.root, { recursive: true });
  writeFileSync(own, `${process.pid} ${startTimeOf(process.pid)}`);
  try {
    for (;;) {
      try {
        // A link appears with its content, so nobody reads a lock that is still being written.
        linkSync(own, file);
        return () => rmSync(file, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const [pid, startTime] = holderOf(file);
      if (startTime && startTimeOf(Number(pid)) === startTime) {
        throw new Error(
          `another testbed command is at work (pid ${pid}); wait for it or end it, then try again`,
        );
      }
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(own, { force: true });
  }
}

function holderOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(' ');
  } catch {
    // Released since.
    return [];
  }
}
