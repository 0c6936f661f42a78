import { isChaosEngine, translateChaosEngine } from './chaos-engine.ts';
import { type InputIssue, inputInvalid, issuesOf } from './issues.ts';
import { maxKills, mostLateSeconds, plannedKills } from './schedule.ts';
import { type Experiment, experimentSchema } from './spec.ts';
import { streamIssues } from './stream-options.ts';

/**
 * Reads an experiment in our own shape or as a Litmus ChaosEngine, fills its defaults and checks what fields mean together.
 * Throws INPUT_INVALID with every issue as evidence. The notes say what was understood but is not used.
 */
export function parseExperiment(input: unknown): { experiment: Experiment; notes: string[] } {
  const { value, notes } = isChaosEngine(input)
    ? translateChaosEngine(input)
    : { value: input ?? {}, notes: [] };
  const parsed = experimentSchema.safeParse(withoutHeader(value));
  if (!parsed.success) throw inputInvalid(issuesOf(parsed.error, experimentSchema));
  const issues = crossFieldIssues(parsed.data);
  if (issues.length > 0) throw inputInvalid(issues);
  return { experiment: parsed.data, notes };
}

/** `apiVersion: leaderfall.io/v1` and `kind: KafkaBrokerFailure` may head a file. */
function withoutHeader(value: unknown): unknown {
  if (Array.isArray(value)) throw inputInvalid(['input: a list; one experiment is expected']);
  if (typeof value !== 'object' || value === null) return value;
  const { apiVersion, kind, ...rest } = value as Record<string, unknown>;
  const issues: InputIssue[] = [];
  if (apiVersion !== undefined && apiVersion !== 'leaderfall.io/v1') {
    issues.push(`apiVersion: must be leaderfall.io/v1, or litmuschaos.io/v1alpha1 with kind ChaosEngine`);
  }
  if (kind !== undefined && kind !== 'KafkaBrokerFailure') {
    issues.push('kind: must be KafkaBrokerFailure or ChaosEngine');
  }
  if (issues.length > 0) throw inputInvalid(issues);
  return rest;
}

function crossFieldIssues(experiment: Experiment): InputIssue[] {
  const { schedule, liveness, target } = experiment;
  const issues: InputIssue[] = [];
  if (schedule.intervalSeconds > schedule.durationSeconds) {
    issues.push(
      `schedule.intervalSeconds: ${schedule.intervalSeconds} is longer than schedule.durationSeconds, ${schedule.durationSeconds}`,
    );
  }
  const planned = plannedKills(schedule);
  if (planned > maxKills) {
    issues.push(`schedule.durationSeconds: ${planned} kills are planned, at most ${maxKills} fit one run`);
  }
  if (schedule.minKills !== undefined && schedule.minKills > planned) {
    issues.push(`schedule.minKills: ${schedule.minKills} is more than the ${planned} planned kills`);
  }
  const { late } = schedule;
  if (typeof late === 'object' && late.runIfWithinSeconds > mostLateSeconds(schedule)) {
    issues.push(
      `schedule.late.runIfWithinSeconds: ${late.runIfWithinSeconds} is more than half of schedule.intervalSeconds, ${schedule.intervalSeconds}: kills would be bunched`,
    );
  }
  if (target === 'follower' && liveness.replicationFactor === 1)
    issues.push('target: follower, which there is none of with liveness.replicationFactor: 1');
  return [...issues, ...streamIssues(liveness)];
}
