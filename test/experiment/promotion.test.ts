import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LeaderfallError } from '../../src/experiment/errors.ts';
import { readDecision } from '../../src/experiment/promotion/decision.ts';
import { bodyOf } from '../../src/experiment/promotion/news.ts';
import { parsePromotion } from '../../src/experiment/promotion/promotion.ts';
import { repeatAfter } from '../../src/experiment/promotion/size.ts';
import { readExperimentText } from '../../src/experiment/read.ts';

const stage = { name: 'staging', experiments: [{ cluster: { namespace: 'kafka' } }] };

function issues(input: object): string[] {
  try {
    parsePromotion(input);
    return [];
  } catch (error) {
    return (error as LeaderfallError).problem.evidence ?? [];
  }
}

describe('a promotion', () => {
  it('needs a subject, a stage and its experiments; the rest has defaults', () => {
    const { stages, overriders } = parsePromotion({
      apiVersion: 'leaderfall.io/v1',
      kind: 'Promotion',
      subject: 's',
      stages: [stage],
    });
    expect(stages[0]).toMatchObject({
      gates: [{ kind: 'auto' }],
      environment: { taskQueue: 'leaderfall' },
      hold: '1h',
    });
    expect(overriders).toEqual([]);
  });

  it.each([
    [
      'an experiment',
      { experiments: [{ clster: {} }] },
      'stages.0.experiments.0.clster: unknown field; nearest is "cluster"',
    ],
    ['two stages of one name', {}, 'stages.1.name: staging is there twice'],
    [
      'a proof of no stage',
      { proof: { stage: 'nowhere' } },
      'stages.0.proof.stage: no earlier stage is called nowhere',
    ],
    [
      'four eyes without a starter',
      { gates: [{ kind: 'approval', approvers: [{ name: 'a' }] }] },
      'stages.0.gates.0.fourEyes: needs to know who starts it; give startedBy',
    ],
    [
      'more approvals than people',
      {
        gates: [{ kind: 'approval', fourEyes: false, needed: 2, approvers: [{ name: 'a' }, { name: 'a' }] }],
      },
      'stages.0.gates.0.needed: 2 of 1 who may approve cannot be had',
    ],
    [
      'a soak of too many repeats',
      { gates: [{ kind: 'soak', duration: '30d', every: '1h' }] },
      'stages.0.gates.0.every: more than 100 repeats',
    ],
    [
      'more runs than a history holds',
      {
        experiments: Array.from({ length: 5 }, (_, index) => ({ name: `e${index}` })),
        gates: Array.from({ length: 2 }, () => ({ kind: 'soak', duration: '50h' })),
      },
      'stages: 505 runs, the repeats of soaks included; at most 500 in one promotion',
    ],
  ])('is refused for %s, by the name of the field', (_name, more, issue) => {
    const twice = Object.keys(more).length === 0;
    const stages = [{ ...stage, ...more }, ...(twice ? [stage] : [])];
    expect(issues({ subject: 's', stages })).toContain(issue);
  });

  it.each([
    ['its turn is still to come', 1, 70, 2],
    ['its turn is at this moment', 1, 120, 2],
    ['one was missed', 1, 130, 3],
    ['several were missed', 2, 250, 5],
    ['the last was missed too, and takes place all the same', 3, 700, 6],
    ['the last is over', 6, 700, 7],
  ])('a soak of five and a half hours goes on where %s', (_, done, minutes, next) => {
    expect(repeatAfter(done, { duration: '330m', every: '1h' }, minutes * 60_000)).toBe(next);
  });

  it('is refused where a hook has no address, or two', () => {
    const hook = (endpoint: object) => ({
      subject: 's',
      stages: [stage],
      onPromoted: [{ kind: 'http', ...endpoint }],
    });
    expect(issues(hook({}))).toEqual(['onPromoted.0.url: needs one of url and urlFrom']);
    expect(issues(hook({ url: 'https://a.example', urlFrom: 'b' }))).toHaveLength(1);
    expect(issues(hook({ url: 'file:///etc/passwd' }))).toHaveLength(1);
    expect(issues(hook({ urlFrom: '../passwd' }))).toHaveLength(1);
  });

  const folder = new URL('../../examples/promotion/', import.meta.url);
  it.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))(
    'example %s can be started',
    (name) => {
      const input = readExperimentText(readFileSync(new URL(name, folder), 'utf8')) as object;
      expect(issues({ startedBy: 'somebody', ...input })).toEqual([]);
    },
  );
});

it('a decision says who and why', () => {
  expect(readDecision({ actor: ' ann ', reason: 'fine' })).toEqual({ actor: 'ann', reason: 'fine' });
  for (const [input, field] of [
    [undefined, 'input'],
    [{ reason: 'fine' }, 'actor'],
    [{ actor: 'ann', reason: ' ' }, 'reason'],
    [{ actor: 'ann', reason: 'fine', role: 1 }, 'role'],
    [{ actor: 'ann', reason: 'fine', why: 'x' }, 'why'],
  ] as const)
    expect(() => readDecision(input)).toThrow(new RegExp(`^${field}: `));
});

it('a Slack message cannot be forged by what it tells', () => {
  const news = { kind: 'waiting', promotion: 'p', name: 'n', subject: '<!channel> & co', text: 't' } as const;
  expect(bodyOf({ kind: 'slack', on: [] }, news)).toEqual({ text: '*n* &lt;!channel&gt; &amp; co\nt' });
});
