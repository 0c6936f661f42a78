import { readFileSync } from 'node:fs';

/** Largest resident memory that a process has ever had, MiB, as the kernel keeps it. */
export function peakMiB(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kib === undefined) throw new Error(`the kernel does not tell the peak memory of process ${pid}`);
  return Number(kib) / 1_024;
}
