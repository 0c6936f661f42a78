import type { PromotionRecord, PromotionRun, StageRecord } from '../experiment/promotion/record.ts';
import { type Case, type Outcome, suiteXml } from './junit-xml.ts';
import { escaped, table } from './markdown.ts';

/**
 * A promotion for CI servers, as JUnit XML: one case for the outcome, one a stage and one a run. Only the outcome can break a build:
 * Rejected is a failure, Expired and Error are errors, Stopped is skipped.
 */
export function promotionJunit(record: PromotionRecord): string {
  const { name, startedAt, promotion, stages } = record;
  const time = secondsOf(startedAt, record.endedAt);
  const cases: Case[] = [
    { name: 'outcome', time, outcome: outcomeOf(record) },
    ...stages.flatMap((stage) => [stageCase(stage), ...stage.runs.map((run) => runCase(stage, run))]),
  ];
  const { workflowId, runId } = promotion;
  return suiteXml({ name, startedAt, time, properties: { workflowId, runId }, cases });
}

/** The same as Markdown for the summary of a CI job. Ends with a line feed. Whatever people and clusters say is escaped. */
export function promotionMarkdown(record: PromotionRecord): string {
  const { name, subject, outcome, reason, promotion, link, stages } = record;
  const workflowId = escaped(promotion.workflowId);
  const id = link ? `[${workflowId}](<${link}>)` : workflowId;
  const rows = stages.map(({ name: stage, state, lack, runs, gates }) => {
    const told = runs.map(({ experiment, verdict }) => `${experiment} ${verdict}`).join(', ');
    const kinds = gates.map(({ kind, how }) => (how ? `${kind}: ${how}` : kind)).join(', ');
    const why = lack && state !== 'passed' ? `${state}: ${lack}` : state;
    return [stage, why, told, kinds];
  });
  return [
    `## ${escaped(name)}: ${outcome}`,
    '',
    `${escaped(subject)}: ${escaped(reason)} (${id})`,
    '',
    table({ head: ['stage', 'state', 'runs', 'gates'], rows }),
    '',
  ].join('\n');
}

function outcomeOf({ outcome, reason }: PromotionRecord): Outcome | undefined {
  if (outcome === 'Promoted') return undefined;
  if (outcome === 'Stopped' || outcome === 'Running') return { element: 'skipped', message: reason };
  const element = outcome === 'Rejected' ? 'failure' : 'error';
  return { element, message: reason, type: outcome, text: reason };
}

function stageCase({ name, state, lack }: StageRecord): Case {
  const passed = state === 'passed';
  const message = lack && !passed ? `${state}: ${lack}` : state;
  return { name: `stage ${name}`, time: 0, ...(passed ? {} : { outcome: { element: 'skipped', message } }) };
}

function runCase({ name }: StageRecord, run: PromotionRun): Case {
  const { experiment, workflowId, verdict, reason, startedAt, endedAt } = run;
  const outcome: Outcome = { element: 'skipped', message: `${verdict}: ${reason}` };
  return {
    name: `stage ${name}: ${experiment} (${workflowId})`,
    time: secondsOf(startedAt, endedAt),
    ...(verdict === 'Pass' ? {} : { outcome }),
  };
}

function secondsOf(startedAt: string, endedAt = startedAt): number {
  return (Date.parse(endedAt) - Date.parse(startedAt)) / 1_000;
}
