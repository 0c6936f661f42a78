import { expect } from 'vitest';
import type { KillRecord } from '../../src/experiment/kill-record.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import { type ContainerEnd, type Sight, witness } from './deaths.ts';
import { oneKill } from './kafka.ts';
import { expectNothingLeft } from './nothing-left.ts';
import { brokerDeletions, leftIn, type PodDeletion, runExperiment } from './testbed.ts';

/** One death as the test saw it itself, beside what the run says of it. */
export interface Death {
  result: ChaosResult;
  kill: KillRecord;
  /** The broker whose process ended, by its log or its container: not from our records. */
  victim: number;
  end?: ContainerEnd;
  /** What the test's own client saw last before the kill. */
  before: Sight;
  log: string;
  crashPods: string[];
  deletions: PodDeletion[];
}

/**
 * One run with one kill, seen by the test's own eyes, and nothing left of it. The interval decides only how late the kill may be: the
 * first crash on a node has to pull the image first.
 */
export async function killed(taskQueue: string, experiment: ExperimentInput): Promise<Death> {
  const seen = await witness();
  const since = Date.now();
  try {
    const { result, stdout, stderr } = await runExperiment(
      { ...oneKill, schedule: { durationSeconds: 20, intervalSeconds: 20 }, ...experiment },
      { taskQueue, workflowId: `e2e-death-${since}` },
    );
    const [kill] = result?.kills ?? [];
    if (!result || !kill?.plan) throw new Error(`no kill: ${stdout}\n${stderr.slice(-3_000)}`);
    expect(result.verdict, `${result.reasons.join('\n')}\n${JSON.stringify(kill)}`).toBe('Pass');
    expect(result.leftovers).toEqual([]);
    await expectNothingLeft(result.run);
    const own = { label: `leaderfall.io/run-id=${result.run.runId}` };
    expect(await leftIn('leaderfall-crash', own)).toEqual([]);
    const deletions = brokerDeletions(since);
    const ends = seen.ends();
    const [deletion] = deletions;
    const crashed = ends.find(({ exitCode }) => exitCode === 137);
    const victim = deletion ? Number(deletion.pod.split('-').at(-1)) : (crashed?.broker ?? -1);
    // Stamps of containers have whole seconds; a crash is not noticed by Kafka for some seconds, so a look right before it will do.
    const before = seen.before(deletion?.at ?? (crashed?.finishedAt ?? 0) - 500);
    if (!before) throw new Error('the test’s own client saw no leader before the kill');
    return {
      result,
      kill,
      victim,
      before,
      deletions,
      end: ends.find(({ broker }) => broker === victim),
      log: seen.log(victim),
      crashPods: seen.crashPods(),
    };
  } finally {
    await seen.stop();
  }
}
