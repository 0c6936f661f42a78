import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { markdownProblem, markdownReport } from '../../src/report/markdown.ts';
import { failedResult, judged, passedResult, provenKill, refusedResult } from './example-result.ts';
import { soakResult } from './soak-result.ts';

/** What is in sight before anything is unfolded. */
const inSight = (report: string) => report.replace(/<details>.*?<\/details>/gs, '').trim();

describe('the Markdown report', () => {
  it.each([
    [passedResult(), '## ✅ Pass · kafka-chaos'],
    [failedResult(), '## ❌ Fail · kafka-chaos'],
    [refusedResult(), '## ❌ Error · kafka-chaos'],
  ])('begins with the verdict and its reasons', (result, line) => {
    const [first, , reason] = markdownReport(result).split('\n');
    expect(first).toBe(line);
    expect(reason).toMatch(/^- \S/);
  });

  it('shows the kills, and folds what only a doubter reads', () => {
    const seen = inSight(markdownReport(passedResult()));
    expect(seen).toContain('### Kills: 3 of 3 proven');
    expect(seen).toContain(
      '| 2 | 10:15:20.000 | 2 | kafka-kafka-2 | 6 ms | - | 143 | 0 in 310 ms | 10.2 s | - | proven |',
    );
    expect(seen.split('\n').length).toBeLessThan(15);
    expect(markdownReport(passedResult()).match(/<summary>(.*)<\/summary>/g)).toHaveLength(5);
  });

  it('fits the summary of a CI job for a day of one kill a minute', () => {
    const report = markdownReport(judged(soakResult(1_440)));
    expect(Buffer.byteLength(report)).toBeLessThan(1_024 * 1_024);
    expect(report.match(/is gone from the API server/g)).toHaveLength(55);
    expect(report).toContain('The other 1385: leaderfall report RUN --json');
  });

  it('has tables whose rows are as long as their heads', () => {
    for (const result of [passedResult(), failedResult(), refusedResult()]) {
      for (const table of markdownReport(result).matchAll(/(?:^\|.*\n)+/gm)) {
        const widths = table[0]
          .trim()
          .split('\n')
          .map((line) => line.split(/(?<!\\)\|/).length);
        expect(new Set(widths).size).toBe(1);
      }
    }
  });

  it('shows what is left behind and the next action', () => {
    expect(inSight(markdownReport(failedResult()))).toContain('- Topic/leaderfall-0193: the brokers refuse');
    expect(inSight(markdownReport(refusedResult()))).toContain('**Next:** \\`leaderfall schema\\` prints');
  });

  it('holds the file that runs the experiment again', () => {
    const [, file] = /```yaml\n(.*?)```/s.exec(markdownReport(passedResult())) ?? [];
    expect(experimentSchema.parse(parse(file ?? ''))).toEqual(passedResult().experiment);
    expect(markdownReport(refusedResult())).not.toContain('Run it again');
  });

  it('is not led astray by what a cluster says', () => {
    const hostile = 'a | b\n\n## <img src=x> `c` [d](e) *f* @everyone </details> \u001b[2J';
    const kill = { ...provenKill(0, 1, 2), reason: hostile };
    const report = markdownReport({
      ...passedResult(),
      reasons: [hostile],
      kills: [kill],
      timeline: [{ at: passedResult().startedAt, step: 'kill', text: hostile }],
    });
    expect(report).not.toMatch(/<img|@everyone|(?<!\\)`c|(?<!\\)\[d|(?<!\\)\*f| \| b$/);
    expect(report.match(/^## /gm)).toHaveLength(1);
    expect(report.match(/<details>/g)?.length).toBe(report.match(/<\/details>/g)?.length);
    expect(report.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it('fences a file that holds a fence', () => {
    const { experiment, ...rest } = passedResult();
    const named = experiment && { ...experiment, cluster: { ...experiment.cluster, label: '```' } };
    expect(markdownReport({ ...rest, experiment: named })).toMatch(/^````yaml\n.*^````\n/ms);
  });
});

describe('the Markdown of a run without a result', () => {
  const found = {
    ...{ code: 'INPUT_INVALID' as const, message: 'schedul: unknown field', retryable: false },
    ...{ evidence: ['schedul: unknown field'], next: 'Correct it.' },
  };

  it('says what is wrong, once, and what to do next', () => {
    expect(markdownProblem('run', found)).toBe(
      '## run: INPUT_INVALID\n\nschedul: unknown field\n\n**Next:** Correct it.\n',
    );
    expect(markdownProblem('run', { ...found, evidence: ['a', 'b'] })).toContain('\n\n- a\n- b\n\n');
  });

  it('is not led astray by what an input says', () => {
    const hostile = '<img src=x> [d](e)\n## @everyone';
    const told = markdownProblem(hostile, {
      ...found,
      message: hostile,
      evidence: [`1 ${hostile}`],
      next: hostile,
    });
    expect(told).not.toMatch(/<img|@everyone|(?<!\\)\[d/);
    expect(told.match(/^## /gm)).toHaveLength(1);
  });
});
