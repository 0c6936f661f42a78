import { currentStage } from '../../experiment/promotion/decision.ts';
import type {
  GateRecord,
  PromotionRecord,
  PromotionRun,
  StageRecord,
} from '../../experiment/promotion/record.ts';
import { duration, type Paint, type Tone } from '../../report/format.ts';
import { nowText } from '../../workflows/promotion/details.ts';

const marks: Record<StageRecord['state'], [string, Tone]> = {
  pending: ['○', 'dim'],
  running: ['▶', 'strong'],
  waiting: ['◷', 'warn'],
  held: ['◼', 'warn'],
  passed: ['✔', 'good'],
  overridden: ['✔', 'warn'],
  'not passed': ['✘', 'bad'],
};

const outcomeTones: Record<PromotionRecord['outcome'], Tone> = {
  Running: 'strong',
  Promoted: 'good',
  Rejected: 'bad',
  Expired: 'warn',
  Stopped: 'warn',
  Error: 'bad',
};

/** The stages of a promotion as a person sees them at a time (epoch ms): one below the other, with runs, gates and people. */
export function drawPromotion(record: PromotionRecord, paint: Paint, now: number): string[] {
  const { name, subject, startedBy, startedAt, endedAt, outcome, reason, promotion, link } = record;
  const stage = outcome === 'Running' ? currentStage(record) : undefined;
  const took = (endedAt ? Date.parse(endedAt) : now) - Date.parse(startedAt);
  return [
    `${paint('strong', name)}  ${subject}`,
    paint(
      'dim',
      `${promotion.workflowId}, ${startedBy ? `by ${startedBy}, ` : ''}${startedAt.slice(0, 16)}Z`,
    ),
    ...(link ? [paint('dim', link)] : []),
    '',
    ...record.stages.flatMap((stage, index) => drawStage(stage, index === record.stages.length - 1, paint)),
    '',
    `${paint(outcomeTones[outcome], outcome)}  ${outcome === 'Running' && stage ? nowText(stage) : reason}  ${paint('dim', duration(took))}`,
    ...(stage?.answers ?? []).map((line) => `  ${line}`),
    ...record.hooks.map(({ hook, outcome: how }) => paint('dim', `  ${hook}: ${how}`)),
  ];
}

function drawStage(stage: StageRecord, last: boolean, paint: Paint): string[] {
  const [mark, tone] = marks[stage.state];
  const line = last ? ' ' : '│';
  const again = stage.attempt > 1 ? `, attempt ${stage.attempt}` : '';
  const runs = stage.runs.filter(({ attempt }) => attempt === stage.attempt);
  const gates = stage.gates.filter(({ attempt }) => attempt === stage.attempt);
  return [
    `${paint(tone, mark)} ${paint('strong', stage.name)}  ${stage.state}${again}  ${paint('dim', `queue ${stage.taskQueue}`)}`,
    ...(stage.proof ? [`${line}   proof    ${stage.proof}`] : []),
    ...runs.map((run) => `${line}   ${drawRun(run, paint)}`),
    ...gates.map((gate) => `${line}   ${drawGate(gate, paint)}`),
    ...(stage.lack && stage.state !== 'passed' ? [`${line}   ${paint('warn', stage.lack)}`] : []),
    ...(last ? [] : ['│']),
  ];
}

function drawRun({ experiment, verdict, workflowId, purpose }: PromotionRun, paint: Paint): string {
  const tone = verdict === 'Pass' ? 'good' : verdict === 'Running' ? 'strong' : 'bad';
  return `${purpose === 'soak' ? 'soak ' : 'run  '}    ${paint(tone, verdict.padEnd(8))} ${experiment}  ${paint('dim', workflowId)}`;
}

function drawGate({ kind, openedAt, until, how }: GateRecord, paint: Paint): string {
  const state = openedAt ? paint('good', 'open    ') : paint('warn', 'shut    ');
  const waits = !openedAt && until ? [`until ${until.slice(0, 16)}Z`] : [];
  const text = [...(how ? [how] : []), ...waits].join(', ');
  return `gate     ${state} ${kind}${text ? `: ${text}` : ''}`;
}
