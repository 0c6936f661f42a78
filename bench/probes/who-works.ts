import { readdirSync, readFileSync } from 'node:fs';
import { processorSeconds, ticks } from './processor-time.ts';

/** Who may use the processor while a stream flows; all that is none of these is `others`. */
export const parts = ['producer', 'consumer', 'observer', 'brokers', 'others'] as const;

/** Processor time by who used it, s. */
export type Work = Record<(typeof parts)[number], number>;

/** What this machine's processors have done so far, the pods' processes included: the testbed's nodes are on it. */
export function workSoFar(): Work {
  const work: Work = { producer: 0, consumer: 0, observer: 0, brokers: 0, others: 0 };
  let known = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const part = partOf(pid);
      if (!part) continue;
      const seconds = processorSeconds(Number(pid));
      work[part] += seconds;
      known += seconds;
    } catch {
      // It has ended meanwhile.
    }
  }
  return { ...work, others: busySeconds() - known };
}

/** What was used between two looks. */
export function workBetween(before: Work, after: Work): Work {
  return Object.fromEntries(parts.map((part) => [part, after[part] - before[part]])) as Work;
}

function partOf(pid: string): Exclude<keyof Work, 'others'> | undefined {
  if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('kafka.Kafka')) return 'brokers';
  const [, role] = /(?:LIVENESS|RAW)_ROLE=(producer|consumer|observer)\0/.exec(environmentOf(pid)) ?? [];
  return role as 'producer' | 'consumer' | 'observer' | undefined;
}

function environmentOf(pid: string): string {
  return `${readFileSync(`/proc/${pid}/environ`, 'utf8')}\0`;
}

/** All but idle and waiting for disks. */
function busySeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / ticks;
}
