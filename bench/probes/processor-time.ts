import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc, which Linux has fixed for programs. */
export const ticks = 100;

/** Processor time that a process has used so far, s, as the kernel keeps it. */
export function processorSeconds(pid: number): number {
  // The program's name, in brackets, may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const [user = '0', system = '0'] = fields.slice(11, 13);
  return (Number(user) + Number(system)) / ticks;
}
