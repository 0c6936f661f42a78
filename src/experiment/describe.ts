import { plannedKills } from './schedule.ts';
import type { Experiment } from './spec.ts';

/** Whom an experiment is aimed at: `the leader`, `broker 3`. */
export function targetText(target: Experiment['target']): string {
  return typeof target === 'object' ? `broker ${target.broker}` : `the ${target}`;
}

/** One line for lists: `3 × the leader of Kafka in kafka`. */
export function summaryOf({ target, schedule, cluster }: Experiment): string {
  return `${plannedKills(schedule)} × ${targetText(target)} of Kafka in ${cluster.namespace ?? 'the worker’s default target'}`;
}

/** What will be done, where and how often, as Markdown for Temporal's Web UI. */
export function detailsOf(experiment: Experiment): string {
  const { target, schedule, cluster, liveness, fault } = experiment;
  const kills = plannedKills(schedule);
  const each = kills > 1 ? `, one every ${schedule.intervalSeconds} s` : '';
  return [
    `- **what**: ${kills} times ${fault.kind} of ${targetText(target)}${each}; asked anew before each`,
    `- **where**: namespace ${cluster.namespace ?? 'of the worker’s default target'}${cluster.statefulSet ? `, StatefulSet ${cluster.statefulSet}` : ''}`,
    `- **stream**: ${liveness.ratePerSecond} records/s through a topic with ${liveness.replicationFactor} replicas`,
    `- **recovery** within ${schedule.recoveryTimeoutSeconds} s`,
  ].join('\n');
}
