import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { lockWorkflowId } from '../../src/experiment/lock.ts';
import { startStopRig } from '../../test/integration/stop-rig.ts';
import { quantile } from '../figure.ts';

const live = 50;
const intervalSeconds = 10;

/**
 * `npm run bench -- --stop`: how soon after `leaderfall stop --all` the last kill of 50 live runs is made, on a Temporal of its own, with the real
 * workflow and steps that need no cluster. Counted from the start of the command's process. Gives the exit code.
 */
export async function benchStop(): Promise<number> {
  const rig = await startStopRig(intervalSeconds);
  try {
    await Promise.all(Array.from({ length: live }, (_, index) => rig.start(`run-${index}`)));
    // A run that has ended makes no kill any more, and is told of below.
    const under = () => new Set([...rig.kills.map(({ run }) => run), ...rig.recorded.keys()]).size;
    while (under() < live) await delay(200);
    const began = Date.now();
    const { stdout } = await rig.leaderfall('stop', '--all', '--reason', 'measured', '--actor', 'bench');
    const lastOf = new Map(rig.kills.map(({ run, at }) => [run, Math.max(0, at - began)]));
    const { startTime } = await rig.temporal.client.workflow.getHandle(lockWorkflowId).describe();
    const results = [...rig.recorded.values()];
    const stopped = results.filter(({ verdict }) => verdict === 'Stopped');
    const heard = stopped.map(({ timeline }) => {
      const entry = timeline.find(({ text }) => text.startsWith('stopped by'));
      return Date.parse(entry?.at ?? '') - began;
    });
    console.log(stdout);
    console.log(
      `load ${loadavg()[0]?.toFixed(1)}; ${stopped.length} of ${live} runs Stopped; ms from the command:`,
    );
    console.log(`the lock stands ${startTime.getTime() - began}`);
    console.log(`a run's last kill ${quantiles([...lastOf.values()])}`);
    console.log(`a run begins to clean up ${quantiles(heard)}`);
    for (const { run, verdict, reasons } of results)
      if (verdict !== 'Stopped') console.log(`${run.workflowId}: ${verdict}: ${reasons.join('; ')}`);
    return stopped.length === live ? 0 : 1;
  } finally {
    await rig.close();
  }
}

function quantiles(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => quantile(sorted, part);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`;
}
