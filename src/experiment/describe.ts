import { plannedKills } from './schedule.ts';
import { shortLine } from './short-line.ts';
import { sloNameOf } from './slo.ts';
import type { Experiment } from './spec.ts';

/** Whom an experiment is aimed at, in a word: `leader`, `broker 3`, `pod kafka-0`. */
export function targetName(target: Experiment['target']): string {
  if (typeof target === 'string') return target;
  return 'pod' in target ? `pod ${target.pod}` : `broker ${target.broker}`;
}

/** Whom an experiment is aimed at, in a sentence: `the leader`, `broker 3`, `pod kafka-0`. */
export function targetText(target: Experiment['target']): string {
  return typeof target === 'string' ? `the ${target}` : targetName(target);
}

/** One line for lists: `3 × the leader of Kafka in kafka`. */
export function summaryOf({ target, schedule, cluster }: Experiment): string {
  const where = cluster.namespace ?? 'the worker’s default target';
  return shortLine(`${plannedKills(schedule)} × ${targetText(target)} of Kafka in ${where}`);
}

/** What is done and how often: `3 times delete of the leader, one every 20 s`. `kills` where people have added some. */
export function whatText(
  { target, schedule, fault }: Pick<Experiment, 'target' | 'schedule' | 'fault'>,
  kills = plannedKills(schedule),
): string {
  const each = kills > 1 ? `, one every ${schedule.intervalSeconds} s` : '';
  return `${kills} times ${fault.kind} of ${targetText(target)}${each}`;
}

/** What will be done, where and how often, as Markdown for Temporal's Web UI. */
export function detailsOf(experiment: Experiment): string {
  const { schedule, cluster, liveness, abortOn } = experiment;
  return [
    `- **what**: ${whatText(experiment)}; asked anew before each`,
    `- **where**: namespace ${cluster.namespace ?? 'of the worker’s default target'}${cluster.statefulSet ? `, StatefulSet ${cluster.statefulSet}` : ''}`,
    `- **stream**: ${liveness.ratePerSecond} records/s through a topic with ${liveness.replicationFactor} replicas`,
    `- **recovery** within ${schedule.recoveryTimeoutSeconds} s`,
    ...(abortOn.length > 0
      ? [`- **no further kill** as soon as one is broken: ${abortOn.map(sloNameOf).join(', ')}`]
      : []),
  ].join('\n');
}
