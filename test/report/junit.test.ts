import { describe, expect, it } from 'vitest';
import type { ChaosResult, Verdict } from '../../src/experiment/result.ts';
import { resultSchema } from '../../src/experiment/result-schema.ts';
import { jsonReport } from '../../src/report/json.ts';
import { junitProblem, junitReport } from '../../src/report/junit.ts';
import { exampleSeries, failedResult, judged, passedResult } from './example-result.ts';

const withVerdict = (verdict: Verdict): ChaosResult => ({ ...passedResult(), verdict });

describe('the JUnit report', () => {
  it.each([
    ['Pass', 'failures="0" errors="0" skipped="0"'],
    ['Fail', 'failures="1" errors="0" skipped="0"'],
    ['Inconclusive', 'failures="0" errors="1" skipped="0"'],
    ['Error', 'failures="0" errors="1" skipped="0"'],
    ['Stopped', 'failures="0" errors="0" skipped="1"'],
  ] as const)('counts %s as %s', (verdict, counts) => {
    expect(junitReport(withVerdict(verdict))).toContain(`tests="4" ${counts}`);
  });

  it('holds one case for the verdict and one a kill', () => {
    const xml = junitReport(passedResult());
    expect(xml.match(/<testcase /g)).toHaveLength(4);
    expect(xml).toContain('name="kill 3: broker 0, pod kafka-kafka-0"');
    expect(junitReport(failedResult())).toContain(
      '<failure message="the stream stopped: no record for 40.0 s',
    );
  });

  it('gives the verdict’s case what its verdict is: nothing, failure, error or skipped', () => {
    const caseOf = (verdict: Verdict) =>
      /name="verdict"[^>]*>(.*?)<\/testcase>/s.exec(junitReport(withVerdict(verdict)))?.[1];
    expect(caseOf('Pass')).toBe('');
    expect(caseOf('Stopped')).toMatch(/^<skipped message="the stream survived/);
    expect(caseOf('Inconclusive')).toMatch(/^<error message="[^"]*" type="Inconclusive">/);
  });

  it('tells how long the replicas took, and 0 where that was not seen', () => {
    expect(junitReport(passedResult())).toContain('pod kafka-kafka-1" time="9.500"');
    expect(junitReport(failedResult())).toContain('pod kafka-kafka-1" time="0.000"');
  });

  it('skips a kill that the verdict did without', () => {
    const result = passedResult();
    const kills = result.kills.map((kill, index) =>
      index === 1 ? { ...kill, status: 'skipped' as const, reason: 'a broker was down' } : kill,
    );
    const xml = junitReport({ ...result, kills });
    expect(xml).toContain('failures="0" errors="0" skipped="1"');
    expect(xml).toContain('<skipped message="skipped: a broker was down"/>');
  });

  it('is well-formed whatever a cluster says', () => {
    const xml = junitReport({ ...failedResult(), reasons: ['<a> & "b" \u0000\u001b ]]>'] });
    expect(xml).toContain('message="&lt;a&gt; &amp; &quot;b&quot; \ufffd\ufffd ]]&gt;"');
    expect(xml.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('a run without a result in JUnit', () => {
  it('is one error, with the evidence and what to do next', () => {
    const found = {
      ...{ code: 'TEMPORAL_UNREACHABLE' as const, message: 'nobody answers', retryable: true },
      ...{ evidence: ['port 1 refuses'], next: 'Start it.' },
    };
    const xml = junitProblem('run', found, '2026-01-05T10:00:00.000Z');
    expect(xml).toContain('tests="1" failures="0" errors="1" skipped="0"');
    expect(xml).toContain('>nobody answers\nport 1 refuses\nnext: Start it.</error>');
    expect(junitProblem('run', { ...found, next: undefined }, '2026-01-05T10:00:00.000Z')).not.toContain(
      'next',
    );
  });
});

describe('the lines of a verdict in JUnit', () => {
  const caseOf = (result: ChaosResult, name: string) =>
    new RegExp(`name="${name}"[^>]*>(.*?)</testcase>`, 's').exec(junitReport(result))?.[1];

  it('break a build along with the verdict that they lead to', () => {
    const failed = judged(failedResult());
    expect(caseOf(failed, 'the stream never stopped')).toMatch(
      /^<failure message="not met: required no silence of 60.0 s at the consumer, observed silent for 40.0 s" type="Fail">/,
    );
    expect(caseOf(failed, 'acknowledged records lost')).toBe('');
    expect(caseOf(failed, 'throughput dip, worst second')).toMatch(/^<skipped message="not observable: /);
  });

  it('do not where another one decided', () => {
    const stopped = { ...judged(failedResult()), verdict: 'Stopped' as const };
    expect(junitReport(stopped)).toMatch(/failures="0" errors="0"/);
    expect(caseOf(stopped, 'the stream never stopped')).toMatch(/^<skipped message="not met: /);
  });

  it('count as cases', () => {
    const { lines = [], kills } = judged(passedResult());
    expect(junitReport(judged(passedResult()))).toContain(`tests="${1 + lines.length + kills.length}"`);
  });
});

describe('the JSON report', () => {
  it('is the result, whole', () => {
    expect(JSON.parse(jsonReport(failedResult()))).toEqual(failedResult());
  });

  it('is what the published schema of its version describes', () => {
    const result = judged({ ...passedResult(), series: exampleSeries(passedResult()) });
    const said = JSON.parse(jsonReport(result));
    expect(said.schema).toBe('leaderfall.io/result/v1');
    expect(resultSchema.parse(said)).toEqual(said);
  });
});
