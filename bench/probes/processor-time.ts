import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc, which Linux has fixed for programs. */
export const ticks = 100;

/** Processor time that a process has used so far, s, as the kernel keeps it. */
export function processorSeconds(pid: number): number {
  const [user = 0, system = 0] = statOf(pid).slice(11, 13).map(Number);
  return (user + system) / ticks;
}

/** The same with its children, those included that have ended. */
export function familySeconds(pid: number): number {
  const ended = statOf(pid).slice(13, 15).map(Number);
  const alive = readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? statIfThere(name) : undefined;
    return Number(stat?.[1]) === pid ? (stat?.slice(11, 13).map(Number) ?? []) : [];
  });
  return processorSeconds(pid) + [...ended, ...alive].reduce((sum, one) => sum + one, 0) / ticks;
}

/** State, parent … of a process: what stands behind the program's name, which is in brackets and may hold spaces. */
function statOf(pid: number | string): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
}

/** Undefined where the process has just gone. */
function statIfThere(pid: string): string[] | undefined {
  try {
    return statOf(pid);
  } catch {
    return undefined;
  }
}
