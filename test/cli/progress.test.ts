import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/cli/history/run-event.ts';
import { eventTeller } from '../../src/cli/progress/event-lines.ts';
import type { Line } from '../../src/cli/progress/line.ts';
import type { Pending } from '../../src/cli/progress/pending.ts';
import { pendingTeller } from '../../src/cli/progress/pending-lines.ts';
import { screen } from '../../src/cli/progress/screen.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';

const plan = {
  index: 1,
  deadline: 20_000,
  broker: 2,
  pod: 'kafka-kafka-2',
  leader: 2,
  leaderEpoch: 5,
  isr: [2, 0, 1],
  replicas: [2, 0, 1],
  guardWaitMs: 0,
  guardReasons: [],
};
const act = {
  outcome: 'deleted',
  requestedAt: 20_004,
  answeredAt: 20_010,
  gracePeriodSeconds: 300,
  repeated: false,
};

function told(events: RunEvent[]): Line[] {
  return events.flatMap(eventTeller());
}

function step(activity: string, input: unknown, result: unknown): RunEvent[] {
  return [
    { kind: 'scheduled', at: 1, activity, input },
    { kind: 'completed', at: 2, activity, result },
  ];
}

describe('lines of a run', () => {
  it('tell each kill with deadline, broker, pod, lateness and proof', () => {
    const proof = {
      proven: true,
      exitCode: 143,
      newLeader: 0,
      timeToNewLeaderMs: 412,
      timeToFullIsrMs: 17_250,
    };
    const texts = told([
      ...step('aim', { index: 1 }, { outcome: 'aimed', plan }),
      ...step('kill', { plan }, act),
      ...step('prove', { plan, act }, proof),
    ]).map(({ text }) => text);
    expect(texts).toEqual([
      'kill 2: leader 2, epoch 5, in sync 2, 0, 1; aimed at broker 2 for 00:00:20.000',
      'kill 2: pod kafka-kafka-2 (broker 2) deleted at 00:00:20.004, 4 ms late, grace 300 s',
      'kill 2 proven: exit code 143, leader 0 after 412 ms, all replicas in sync after 17.3 s',
    ]);
  });

  it('keep the wait for the guard apart from lateness', () => {
    const waited = { ...plan, guardWaitMs: 3_000, guardReasons: ['not in sync: broker 1'] };
    const [aimed, killed] = told([
      ...step('aim', { index: 1 }, { outcome: 'aimed', plan: waited }),
      ...step('kill', { plan: waited }, { ...act, requestedAt: 23_001, answeredAt: 23_010 }),
    ]);
    expect(aimed?.text).toContain('waited 3.0 s: not in sync: broker 1');
    expect(killed?.text).toContain('1 ms late');
  });

  it('never show as observed what was not', () => {
    const [line] = told(step('prove', { plan, act }, { proven: true, evidence: [] }));
    expect(line?.text).toBe('kill 2 proven: new leader not observed, full ISR not observed');
  });

  it.each([
    ['did not lead', { ...plan, leader: 0 }, {}, ': full ISR not observed'],
    [
      'did not lead, and is back',
      { ...plan, leader: 0 },
      { timeToFullIsrMs: 900 },
      ': all replicas in sync after 900 ms',
    ],
    ['holds nothing of the stream', { ...plan, leader: 0, isr: [0, 1], replicas: [0, 1] }, {}, ''],
  ])('look for no new leader of a broker that %s', (_, aimed, seen, facts) => {
    const proof = { proven: true, evidence: [], ...seen };
    expect(told(step('prove', { plan: aimed, act }, proof))[0]?.text).toBe(`kill 2 proven${facts}`);
  });

  it('tell a crash as what it was: no pod is deleted, and there is no grace', () => {
    const crash = { ...act, outcome: 'killed', gracePeriodSeconds: 0 };
    const [line] = told(step('kill', { plan }, crash));
    expect(line?.text).toBe('kill 2: broker 2 (pod kafka-kafka-2) sent SIGKILL at 00:00:20.004, 4 ms late');
  });

  it.each([
    [{ evidence: ['it died by terminated'], foreign: 'the pod was evicted' }, 'the pod was evicted'],
    [
      { evidence: ['it died by controlled-shutdown, which fault crash does not bring', 'exit code 143'] },
      'it died by controlled-shutdown, which fault crash does not bring',
    ],
    [{ evidence: [] }, 'the death was not seen'],
  ])('say why a kill is not proven: %j', (proof, why) => {
    const [line] = told(step('prove', { plan, act }, { proven: false, ...proof }));
    expect(line?.text).toBe(`kill 2 not proven: ${why}`);
  });

  it('name the command that reads the stream along', () => {
    const liveness = { namespace: 'kafka', pod: 'kafka-liveness', node: 'n', topic: 't' };
    expect(told(step('startLiveness', {}, liveness)).at(-1)?.text).toBe(
      'to read along: kubectl logs -f kafka-liveness -c kafka-consumer -n kafka',
    );
  });

  it('show a skipped kill, a failed step, an abort and a broken worker', () => {
    const texts = told([
      ...step('aim', { index: 0 }, { outcome: 'skipped', reason: 'down: broker 1' }),
      {
        kind: 'failed',
        at: 3,
        activity: 'provision',
        problem: { code: 'PLAN_FATAL', message: 'no', retryable: false },
      },
      { kind: 'cancel-requested', at: 4, identity: 'me@laptop' },
      { kind: 'task-failed', at: 5, message: 'no such workflow' },
    ]).map(({ text }) => text);
    expect(texts).toEqual([
      'kill 1 skipped: down: broker 1',
      'PLAN_FATAL: no',
      'abort asked for by me@laptop: cleaning up',
      'the worker cannot go on with the run, Temporal tries again: no such workflow',
    ]);
  });

  it.each([
    ['leader', 'kudo Kafka kafka/k: 3 kills of the leader, one each 20 s'],
    [{ broker: 1002 }, 'kudo Kafka kafka/k: 3 kills of broker 1002, one each 20 s'],
    [{ pod: 'k-1' }, 'kudo Kafka kafka/k: 3 kills of pod k-1, one each 20 s'],
  ] as const)('say whom %j is', (target, text) => {
    const experiment = experimentSchema.parse({ cluster: { namespace: 'kafka' }, target });
    const resolved = { provisioner: 'kudo', statefulSetName: 'k', notes: [], experiment };
    expect(told(step('resolve', {}, resolved)).at(-1)?.text).toBe(text);
  });

  it('say nothing of steps of another version', () => {
    expect(told(step('somethingNew', {}, { any: 1 }))).toEqual([]);
  });
});

const idle: Pending = { activity: 'provision', attempt: 1, taken: true, taskQueue: 'q', lines: [] };
const none = () => [];

describe('what is pending', () => {
  it('is told when it is new, and only a status when its figures change', () => {
    const tell = pendingTeller();
    const look = (lines: string[]) => tell([{ ...idle, lines }], 0, none);
    expect(look(['deploy IN_PROGRESS', 'rate 98.2/s']).lines.map(({ text }) => text)).toEqual([
      'deploy IN_PROGRESS',
      'rate 98.2/s',
    ]);
    expect(look(['deploy IN_PROGRESS', 'rate 100.1/s'])).toEqual({ lines: [], status: 'rate 100.1/s' });
    expect(look(['deploy COMPLETE', 'rate 100.1/s']).lines.map(({ text }) => text)).toEqual([
      'deploy COMPLETE',
    ]);
  });

  it('shows each new attempt with the last failure, once', () => {
    const tell = pendingTeller();
    const again: Pending = {
      ...idle,
      attempt: 2,
      lastFailure: { code: 'KAFKA_UNREACHABLE', message: 'no broker answers', retryable: true },
    };
    expect(tell([again], 0, none).lines.map(({ text }) => text)).toEqual(['attempt 2: no broker answers']);
    expect(tell([again], 1_000, none).lines).toEqual([]);
    expect(tell([{ ...again, attempt: 3 }], 2_000, none).lines).toHaveLength(1);
  });

  it('says plainly that no worker polls the queue, once, and when one has come', () => {
    const tell = pendingTeller();
    const waiting: Pending = { ...idle, taken: false, waitingSince: 0, taskQueue: 'leaderfall-critical' };
    expect(tell([waiting], 1_000, none).lines).toEqual([]);
    expect(tell([waiting], 4_000, none).lines.map(({ text }) => text)).toEqual([
      'no worker polls task queue leaderfall-critical: start one with "leaderfall worker"',
    ]);
    expect(tell([waiting], 5_000, none)).toEqual({ lines: [], status: 'waiting 5.0 s for a worker' });
    expect(tell([idle], 6_000, none).lines.map(({ text }) => text)).toEqual(['a worker has taken over']);
  });

  it('does not trust a poller that was last seen long ago', () => {
    const waiting: Pending = { ...idle, taken: false, waitingSince: 0 };
    const seen = (lastSeen: number) => () => [{ identity: 'old@host', lastSeen }];
    expect(pendingTeller()([waiting], 300_000, seen(1_000)).lines[0]?.text).toContain('no worker polls');
    expect(pendingTeller()([waiting], 300_000, seen(290_000)).lines[0]?.text).toContain(
      'last seen there: old@host',
    );
  });

  it('does not take a pause before a retry for a missing worker', () => {
    const retrying: Pending = {
      ...idle,
      taken: false,
      waitingSince: 0,
      attempt: 2,
      lastFailure: { code: 'KAFKA_UNREACHABLE', message: 'no broker answers', retryable: true },
    };
    expect(pendingTeller()([retrying], 9_000, none).lines.map(({ text }) => text)).toEqual([
      'attempt 2: no broker answers',
    ]);
  });
});

describe('the screen', () => {
  const plain = (_: unknown, text: string) => text;
  const line = (at: number, text: string): Line => ({ at, step: 'kill', text });

  it('shows times from the start of the run', () => {
    let out = '';
    const shown = screen({ write: (text) => (out += text) }, { paint: plain });
    shown.startedAt(1_000);
    shown.line(line(13_300, 'kill 1'));
    expect(out).toBe('   +12.3s  kill       kill 1\n');
  });

  it('redraws the status below each line on a terminal, and wipes it in the end', () => {
    const out: string[] = [];
    const shown = screen({ write: (text) => out.push(text), isTTY: true, columns: 40 }, { paint: plain });
    shown.status('rate 100/s', 0);
    shown.text('kill 1');
    shown.status(undefined, 0);
    expect(out).toEqual([
      '           rate 100/s',
      '\r\x1b[2K',
      'kill 1\n',
      '           rate 100/s',
      '\r\x1b[2K',
    ]);
  });

  it('breaks a silence of ten seconds without a terminal, and adds nothing to other lines', () => {
    const out: string[] = [];
    const shown = screen({ write: (text) => out.push(text.trim()) }, { paint: plain });
    for (let second = 0; second < 25; second++) {
      if (second === 3) shown.text('kill 1');
      shown.status(`rate ${second}/s`, second * 1_000);
    }
    expect(out.map((text) => text.split(/\s{2,}/).at(-1))).toEqual(['kill 1', 'rate 13/s', 'rate 24/s']);
  });

  it('lets no control sequence of a cluster through', () => {
    const out: string[] = [];
    screen({ write: (text) => out.push(text) }, { paint: plain }).line(line(0, 'pod \x1b[2J\r\nwaits'));
    expect(out.join('')).toMatch(/pod {2}\[2J waits\n$/);
  });

  it('keeps everything back while a person is asked', () => {
    const out: string[] = [];
    const shown = screen({ write: (text) => out.push(text), isTTY: true }, { paint: plain });
    shown.hold(true);
    shown.text('kill 1');
    shown.status('rate', 0);
    expect(out).toEqual([]);
    shown.hold(false);
    expect(out).toEqual(['kill 1\n']);
  });
});
