import { describe, expect, it } from 'vitest';
import type { ChaosResult, Evidence } from '../../src/experiment/result.ts';
import { explainText } from '../../src/report/explain.ts';
import { judge } from '../../src/verdict/judge.ts';
import { passedResult } from './example-result.ts';

/** The example as it is judged after some change of what was seen. */
function judged(change: Partial<Evidence> = {}): ChaosResult {
  const result = passedResult();
  const { kills, plannedKills, stream, experiment } = result;
  const judgement = judge({
    ...{ experiment, kills, plannedKills, stream, minKills: 3, isrFullAtEnd: true, cancelled: false },
    livenessPod: { state: 'running' },
    ...change,
  });
  return { ...result, ...judgement, specHash: 'feedc0ffee' };
}

const { stream } = passedResult();

describe('the explanation of a verdict', () => {
  it('walks through every line with what was required and observed', () => {
    const result = judged();
    const text = explainText(result);
    for (const { what, required, observed } of result.lines ?? []) {
      expect(text).toContain(what);
      expect(text).toContain(`required ${required}`);
      expect(text).toContain(observed === 'not observed' ? `; ${observed}` : `; observed ${observed}`);
    }
    expect(text).toContain('spec feedc0ffee');
    expect(text).toMatch(/all gates are open, and no line leads to another verdict/i);
    expect(text).toMatch(/Verdict: Pass\n$/);
  });

  it('names the lines that decided, by their numbers', () => {
    const text = explainText(judged({ stream: stream && { ...stream, lost: 2, lostExamples: [7] } }));
    const number = /(\d+) +not met +acknowledged records lost/.exec(text)?.[1];
    expect(text).toContain(`All gates are open. Line ${number} leads to Fail.`);
    expect(text).toContain('observed 2 → Fail');
    expect(text).toMatch(/Verdict: Fail\n$/);
  });

  it('says that a gate decided before all lines', () => {
    const text = explainText(judged({ livenessPod: { state: 'gone' }, isrFullAtEnd: false }));
    expect(text).toContain('Gate 3 is not met');
    expect(text).toContain('not in sync → Fail');
    expect(text).toMatch(/Verdict: Inconclusive\n$/);
  });

  it('tells what is missing from what is for information', () => {
    const text = explainText(judged({ isrFullAtEnd: undefined }));
    expect(text).toMatch(/not observable +all replicas[^\n]*\n[^\n]*→ Inconclusive/);
    expect(text).toMatch(/not observable +no worse than the last passed run\n[^\n]*, for information/);
    expect(text).toContain('leads to Inconclusive, and none leads to Fail');
  });

  it('gives what a run of an earlier version recorded', () => {
    const text = explainText(passedResult());
    expect(text).toContain('the stream survived 3 of 3 planned kills');
    expect(text).toMatch(/Verdict: Pass\n$/);
  });

  it('holds no control characters of the cluster', () => {
    const problem = { code: 'INTERNAL', message: 'red \u001b[31m', retryable: false } as const;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
    expect(explainText(judged({ problem }))).not.toMatch(/\u001b/);
  });
});
