import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostLayout } from '../../testbed/cgroups.ts';

/** What the kernel lets a process have. */
export interface Limits {
  cpus: number;
  memoryMiB: number;
}

/** A process within limits, and the groups that hold it to them. */
export interface Limited {
  /** Why it is not limited; undefined where it is. */
  refused?: string;
  /** Removes the groups; the process must be gone. */
  release(): void;
}

/**
 * Puts a process into cgroups of its own, in which it has its share of the processors whatever else the machine does. Needs root and a host that mounts them.
 */
export function limit(pid: number, { cpus, memoryMiB }: Limits): Limited {
  const made: string[] = [];
  const put = (parent: string, files: Record<string, string>) => {
    const folder = join(parent, `leaderfall-load-${pid}`);
    mkdirSync(folder);
    made.push(folder);
    for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), value);
    writeFileSync(join(folder, 'cgroup.procs'), String(pid));
  };
  const release = () => {
    for (const folder of made) if (existsSync(folder)) rmdirSync(folder);
  };
  const period = 100_000;
  const quota = String(cpus * period);
  const bytes = String(memoryMiB * 1_024 * 1_024);
  try {
    const layout = hostLayout();
    if (layout.version === 2) {
      writeFileSync(join(layout.root, 'cgroup.subtree_control'), '+cpu +memory');
      put(layout.root, { 'cpu.max': `${quota} ${period}`, 'cpu.weight': '10000', 'memory.max': bytes });
    } else {
      const mount = (name: string) =>
        layout.controllers.find((path) => path.split(/[/,]/).includes(name)) ?? `no controller ${name}`;
      put(mount('cpu'), {
        'cpu.cfs_period_us': String(period),
        'cpu.cfs_quota_us': quota,
        'cpu.shares': '262144',
      });
      put(mount('memory'), { 'memory.limit_in_bytes': bytes });
    }
    return { release };
  } catch (error) {
    return { refused: (error as Error).message, release };
  }
}
