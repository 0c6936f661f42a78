import { describe, expect, it } from 'vitest';
import { resultSchema } from '../../src/experiment/result-schema.ts';
import { textReport } from '../../src/report/text.ts';
import { failedResult, passedResult, refusedResult } from './example-result.ts';

const rowOf = (report: string, start: string) =>
  report.split('\n').find((line) => line.includes(start)) ?? '';

describe('the text report', () => {
  it.each([passedResult(), failedResult(), refusedResult()])(
    'is made of results that the schema knows ($verdict)',
    (result) => {
      expect(resultSchema.parse(result)).toEqual(result);
      expect(textReport(result)).toMatch(new RegExp(`^${result.verdict}  kafka-chaos\n  - `));
    },
  );

  it('tells each kill in one row', () => {
    const row = rowOf(textReport(passedResult()), 'kafka-kafka-2');
    for (const cell of ['2', '10:15:20.000', '6 ms', '143', '0 in 310 ms', '10.2 s', 'proven']) {
      expect(row).toContain(` ${cell} `);
    }
  });

  it('shows what was not observed as a dash, not as a figure', () => {
    expect(rowOf(textReport(failedResult()), 'kafka-kafka-1')).toMatch(/143 │ +- │ +- │ proven/);
  });

  it('says how the stream ended and what is left', () => {
    const report = textReport(failedResult());
    expect(report).toContain('gave up at 10:15:40.050 after 40.0 s; a fresh client: outage');
    expect(report).toContain('Topic/leaderfall-0193: the brokers refuse topic deletion');
    expect(textReport(passedResult())).toContain('Left behind\n  nothing');
  });

  it('of a refused input is the problem and the next action, without empty tables', () => {
    const report = textReport(refusedResult());
    expect(report).toContain('INPUT_INVALID in step resolve');
    expect(report).toContain('next: `leaderfall schema`');
    expect(report).not.toContain('Kills');
  });

  it('lets no escape sequence of a cluster through to the terminal', () => {
    const result = { ...passedResult(), reasons: ['\u001b[2Jgone\r\nPass'] };
    expect(textReport(result).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(textReport(result)).toContain('  - [2Jgone Pass\n');
  });

  it('is painted by the caller alone', () => {
    expect(textReport(passedResult(), (tone, text) => `<${tone}>${text}`)).toMatch(/^<good>Pass/);
    expect(textReport(passedResult())).not.toContain('\u001b');
  });
});
