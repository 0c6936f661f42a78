import { readdirSync, readFileSync } from 'node:fs';

/** A process as /proc shows it. */
export interface ContainerProcess {
  pid: number;
  /** In clock ticks since boot; with the pid it names one process for ever. */
  startTime: number;
}

/**
 * The first process of a container, found by its cgroup's path, which holds the pod's UID and the container's id; undefined where
 * no process of that container is left. What was put into the container later (probes, exec) started later.
 */
export function containerProcess(
  podUid: string,
  containerId: string,
  proc = '/proc',
): ContainerProcess | undefined {
  let first: ContainerProcess | undefined;
  for (const name of readdirSync(proc)) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    if (!isInside(pid, podUid, containerId, proc)) continue;
    const startTime = startTimeOf(pid, proc);
    if (startTime === undefined) continue;
    const earlier =
      !first || startTime < first.startTime || (startTime === first.startTime && pid < first.pid);
    if (earlier) first = { pid, startTime };
  }
  return first;
}

/** Whether that very process still is there and still in that container. */
export function isSame(
  { pid, startTime }: ContainerProcess,
  podUid: string,
  containerId: string,
  proc = '/proc',
): boolean {
  return isInside(pid, podUid, containerId, proc) && startTimeOf(pid, proc) === startTime;
}

/** Whether that very process is dead, whoever is still to collect its exit code. */
export function hasEnded({ pid, startTime }: ContainerProcess, proc = '/proc'): boolean {
  if (startTimeOf(pid, proc) !== startTime) return true;
  const fields = fieldsOf(pid, proc);
  // Its first thread may be dead while others are not: field 20 has their number.
  return ['Z', 'X'].includes(fields[0] ?? '') && Number(fields[17]) <= 1;
}

function isInside(pid: number, podUid: string, containerId: string, proc: string): boolean {
  const cgroups = read(`${proc}/${pid}/cgroup`);
  // systemd's slices write a UID with underscores.
  const uids = [podUid, podUid.replaceAll('-', '_')];
  return cgroups
    .split('\n')
    .some((line) => line.includes(containerId) && uids.some((uid) => line.includes(`pod${uid}`)));
}

/** Field 22 of /proc/PID/stat. */
function startTimeOf(pid: number, proc: string): number | undefined {
  const startTime = Number(fieldsOf(pid, proc)[19] ?? Number.NaN);
  return Number.isFinite(startTime) ? startTime : undefined;
}

/** What /proc/PID/stat has from its third field, the state, on; the command before it may hold blanks and brackets. */
function fieldsOf(pid: number, proc: string): string[] {
  const stat = read(`${proc}/${pid}/stat`);
  return stat ? stat.slice(stat.lastIndexOf(')') + 2).split(' ') : [];
}

/** Empty where the process has gone meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
