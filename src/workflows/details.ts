import { whatText } from '../experiment/describe.ts';
import { countKills } from '../experiment/earlier-kills.ts';
import type { KillRecord } from '../experiment/kill-record.ts';
import { killsOf } from '../experiment/steering.ts';
import { soFar } from './so-far.ts';
import type { Story } from './story.ts';

/** Rows of the timeline that the Web UI shows; the whole of it is a query. */
const shownRows = 12;

/** Answer of the query `status`: the run in one small object. */
export interface RunStatus {
  step: string;
  provisioner?: string;
  cluster?: string;
  kills: { planned: number; proven: number; unproven: number; skipped: number; beingProven: number };
  /** The kill that comes next, counted from 1, and its deadline as it stands (RFC 3339). */
  next?: { kill: number; deadline?: string };
  paused?: { since: string; actor: string; reason: string };
  stoppedBy?: { actor: string; reason: string };
}

/** Where a run stands. */
export function statusOf(story: Story): RunStatus {
  const { steering, resolved, kills, earlier } = story;
  // A kill stands as unproven until its proof is there.
  const beingProven = steering.round === 'proving' ? 1 : 0;
  const judged = kills.slice(0, kills.length - beingProven);
  const made = { kills: [...(earlier?.notable ?? []), ...judged], killsElsewhere: earlier?.elsewhere };
  const count = (status: KillRecord['status']) => countKills(made, status);
  const nextKill = steering.next + beingProven;
  const planned = resolved ? killsOf(resolved.experiment.schedule, steering) : 0;
  const waiting =
    !['made', 'over'].includes(steering.round) && !steering.injectingStopped && nextKill < planned;
  return {
    step: story.step ?? 'resolve',
    ...(resolved
      ? {
          provisioner: resolved.provisioner,
          cluster: `${resolved.experiment.cluster.namespace}/${resolved.statefulSetName}`,
        }
      : {}),
    kills: {
      planned,
      proven: count('proven'),
      unproven: count('unproven'),
      skipped: count('skipped'),
      beingProven,
    },
    ...(waiting
      ? { next: { kill: nextKill + 1, ...deadlineOf(beingProven ? undefined : steering.deadline) } }
      : {}),
    ...(steering.paused
      ? {
          paused: {
            since: new Date(steering.paused.at).toISOString(),
            actor: steering.paused.actor,
            reason: steering.paused.reason,
          },
        }
      : {}),
    ...(steering.stoppedBy ? { stoppedBy: steering.stoppedBy } : {}),
  };
}

function deadlineOf(deadline: number | undefined): { deadline?: string } {
  return deadline === undefined ? {} : { deadline: new Date(deadline).toISOString() };
}

/** The same for a person, as Markdown: the Web UI's current details. */
export function detailsOf(story: Story): string {
  const status = statusOf(story);
  const { steering } = story;
  const { kills, next, paused, stoppedBy } = status;
  const rows: [string, string][] = [['step', status.step]];
  const { resolved } = story;
  if (resolved) rows.push(['what', whatText(resolved.experiment, kills.planned)]);
  if (status.cluster) rows.push(['where', `${status.cluster} (${status.provisioner})`]);
  const proving = kills.beingProven
    ? `, kill ${kills.proven + kills.unproven + kills.skipped + 1} being proven`
    : '';
  rows.push([
    'kills',
    `${kills.proven} proven, ${kills.unproven} unproven, ${kills.skipped} skipped of ${kills.planned}${proving}`,
  ]);
  if (next)
    rows.push([
      'next',
      `kill ${next.kill} of ${kills.planned}${next.deadline ? ` at ${clock(next.deadline)} UTC` : ''}`,
    ]);
  const { liveness, kafka } = story;
  if (kafka) rows.push(['brokers', `${kafka.brokerIds.join(', ')}, reached by ${kafka.reach}`]);
  if (liveness)
    rows.push([
      'stream',
      `topic ${liveness.topic}, min.insync.replicas ${liveness.minInsyncReplicas} of ${liveness.replicationFactor}`,
    ]);
  rows.push(...soFar(story));
  const head = stoppedBy
    ? `**Stopped by ${cell(stoppedBy.actor)}**: ${cell(stoppedBy.reason)}; cleaning up`
    : paused
      ? `**Paused by ${cell(paused.actor)}** since ${clock(paused.since)}: ${cell(paused.reason)}`
      : steering.injectingStopped
        ? `**No further kill**: ${cell(steering.injectingStopped.reason)}`
        : `**${headline(status)}**`;
  const timeline = story.timeline
    .slice(-shownRows)
    .map(({ at, step, text }) => `- \`${clock(at)}\` ${step}: ${text}`);
  return [
    head,
    '',
    '| | |',
    '|---|---|',
    ...rows.map(([name, value]) => `| ${name} | ${cell(value)} |`),
    '',
    ...underWay(story),
    ...timeline,
  ].join('\n');
}

/** What the step under way said last, such as KUDO's plan tree; its lines keep their indents. */
function underWay({ progress, step }: Story): string[] {
  if (!progress || progress.step !== step) return [];
  return ['```', ...progress.lines.map((line) => line.replaceAll('`', "'")), '```', ''];
}

function headline({ step, kills }: RunStatus): string {
  const begun = kills.proven + kills.unproven + kills.skipped + 1;
  if (step === 'kill') return `Kill ${Math.min(begun, kills.planned)} of ${kills.planned}`;
  return step.charAt(0).toUpperCase() + step.slice(1);
}

/** `12:34:56` of an RFC 3339 stamp. */
function clock(stamp: string): string {
  return stamp.slice(11, 19);
}

/** Text of people and servers must not end a table's cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
