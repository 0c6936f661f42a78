import { describe, expect, it } from 'vitest';
import type { ChaosResult, Verdict } from '../../src/experiment/result.ts';
import { jsonReport } from '../../src/report/json.ts';
import { junitReport } from '../../src/report/junit.ts';
import { failedResult, passedResult } from './example-result.ts';

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

describe('the JSON report', () => {
  it('is the result, whole', () => {
    expect(JSON.parse(jsonReport(failedResult()))).toEqual(failedResult());
  });
});
