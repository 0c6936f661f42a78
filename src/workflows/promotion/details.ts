import { currentStage } from '../../experiment/promotion/decision.ts';
import type { PromotionRecord, StageRecord } from '../../experiment/promotion/record.ts';

/** Entries of the timeline that the Web UI shows; the whole of it is a query. */
const shownEntries = 12;

/** Where a promotion stands, as Markdown for the Web UI. */
export function promotionDetails(record: PromotionRecord): string {
  const stage = currentStage(record);
  const head = record.outcome === 'Running' ? nowText(stage) : `${record.outcome}: ${record.reason}`;
  return [
    `**${cell(head)}**`,
    '',
    `${cell(record.subject)}${record.startedBy ? `, started by ${cell(record.startedBy)}` : ''}`,
    '',
    '| stage | state | runs | gates |',
    '|---|---|---|---|',
    ...record.stages.map(
      (one) => `| ${one.name} | ${stateText(one)} | ${runsText(one)} | ${gatesText(one)} |`,
    ),
    '',
    ...record.timeline
      .slice(-shownEntries)
      .map(
        ({ at, stage: where, text }) => `- \`${at.slice(0, 19)}Z\` ${where ? `${where}: ` : ''}${cell(text)}`,
      ),
  ].join('\n');
}

/** What a promotion does at the moment, in one line. */
export function nowText(stage: StageRecord | undefined): string {
  if (!stage) return 'Being checked';
  const { name, lack, until } = stage;
  const gate = stage.gates.at(-1);
  switch (stage.state) {
    case 'held':
      return `${name} is held until ${clock(until)}: ${lack}; retry, override or reject it`;
    case 'waiting':
      if (gate?.kind === 'approval')
        return `${name} waits for approval until ${clock(gate.until)}${gate.how ? `: ${gate.how}` : ''}`;
      return `${name} waits at gate ${gate?.kind}${gate?.until ? ` until ${clock(gate.until)}` : ''}`;
    default:
      return `${name} is ${stage.state}`;
  }
}

function stateText({ state, lack }: StageRecord): string {
  return cell(lack && state !== 'passed' ? `${state}: ${lack}` : state);
}

function runsText({ runs, attempt }: StageRecord): string {
  const here = runs.filter((run) => run.attempt === attempt);
  return cell(
    here.map(({ experiment, verdict, workflowId }) => `${experiment} ${verdict} (${workflowId})`).join(', '),
  );
}

function gatesText({ gates, attempt }: StageRecord): string {
  const here = gates.filter((gate) => gate.attempt === attempt);
  return cell(
    here
      .map(({ kind, how, openedAt }) => `${kind}${openedAt ? ' open' : ''}${how ? `: ${how}` : ''}`)
      .join(', '),
  );
}

function clock(at: string | undefined): string {
  return at ? `${at.slice(0, 16).replace('T', ' ')} UTC` : '-';
}

/** Text of people and servers must not end a table's cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
