import type { ChaosResult } from '../experiment/result.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { type Paint, plain, type Tone, unpainted } from './format.ts';

const tones: Record<VerdictLine['outcome'], Tone> = {
  met: 'good',
  'not met': 'bad',
  'not observable': 'warn',
};

/**
 * How a run came to its verdict: every line with what was required and observed, what follows from it, and how the lines together
 * make the verdict. Ends with a line feed.
 */
export function explainText(result: ChaosResult, paint: Paint = unpainted): string {
  const { lines, verdict, name, run, specHash, reasons } = result;
  const head = [
    `${paint('strong', name)}  ${run.workflowId}`,
    ...(specHash ? [paint('dim', `spec ${specHash}`)] : []),
  ];
  if (!lines) {
    const told = reasons.map((reason) => `  - ${plain(reason)}`);
    const why = 'This run was judged by an earlier version, which kept no lines. It recorded:';
    return `${[...head, '', why, ...told, '', conclusion(verdict, paint)].join('\n')}\n`;
  }
  const numbered = lines.map((line, index) => ({ line, number: index + 1 }));
  const gates = numbered.filter(({ line }) => line.gate);
  const others = numbered.filter(({ line }) => !line.gate);
  const shut = gates.find(({ line }) => line.outcome === 'not met');
  return `${[
    ...head,
    '',
    paint('strong', 'Gates: the first that is not met decides'),
    ...gates.flatMap((one) => explained(one, paint)),
    '',
    paint('strong', 'Lines: one that leads to Fail decides, then one that leads to Inconclusive'),
    ...others.flatMap((one) => explained(one, paint)),
    '',
    ...howDecided(verdict, shut, numbered),
    conclusion(verdict, paint),
  ].join('\n')}\n`;
}

interface Numbered {
  line: VerdictLine;
  number: number;
}

function explained({ line, number }: Numbered, paint: Paint): string[] {
  const { what, required, observed, outcome, leadsTo, because, origin } = line;
  const asked = origin === 'default' ? ' (default)' : origin === 'spec' ? ' (spec)' : '';
  const follows = leadsTo ? ` → ${leadsTo}` : outcome === 'met' ? '' : ', for information';
  const seen = observed === 'not observed' ? observed : `observed ${plain(observed)}`;
  return [
    `${String(number).padStart(4)}  ${paint(tones[outcome], outcome.padEnd(14))}  ${plain(what)}`,
    `      required ${plain(required)}${asked}; ${seen}${follows}`,
    ...because.map((fact) => `      - ${plain(fact)}`),
  ];
}

function howDecided(verdict: string, shut: Numbered | undefined, numbered: readonly Numbered[]): string[] {
  if (shut) return [`Gate ${shut.number} is not met: whatever the lines say, nothing else can be concluded.`];
  const deciding = numbered.filter(({ line }) => line.leadsTo === verdict).map(({ number }) => number);
  if (deciding.length > 0) {
    const over = verdict === 'Fail' ? '' : ', and none leads to Fail';
    return [`All gates are open. Line ${deciding.join(', ')} leads to ${verdict}${over}.`];
  }
  const unseen = numbered.filter(({ line }) => line.outcome !== 'met').map(({ number }) => number);
  const but = unseen.length > 0 ? ` Line ${unseen.join(', ')} is for information.` : '';
  return [`All gates are open, and no line leads to another verdict.${but}`];
}

function conclusion(verdict: ChaosResult['verdict'], paint: Paint): string {
  const tone = verdict === 'Pass' ? 'good' : verdict === 'Fail' || verdict === 'Error' ? 'bad' : 'warn';
  return `Verdict: ${paint(tone, verdict)}`;
}
