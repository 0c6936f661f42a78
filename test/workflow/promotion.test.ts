import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import type { PromotionRecord } from '../../src/experiment/promotion/record.ts';
import { environmentSteps, promoteStory } from './promotion-support.ts';
import { timeSkippingServer } from './story-support.ts';

/** Promotions with the real workflows; the steps of their runs need no cluster, and the clock jumps over what is waited for. */
let env: TestWorkflowEnvironment;
const fails = new Set<string>();
const inputs: unknown[] = [];

// One server a test: where nothing is left to be done, its clock jumps to the end that a closed run would have had in ten years.
beforeEach(async () => {
  env = await timeSkippingServer();
  fails.clear();
  inputs.length = 0;
});

afterEach(async () => {
  await env.teardown();
});

/** As a person writes it. */
const kills = { name: 'kills', cluster: { namespace: 'kafka-staging' }, target: 'leader' };
const approval = {
  kind: 'approval',
  approvers: [{ name: 'ann', role: 'sre' }, { name: 'bob' }, { name: 'carol' }],
};

interface Parts {
  staging?: object;
  production?: object;
  more?: object;
  /** What the staging worker is to be called. */
  environment?: string;
  /** Steps of the staging worker that behave otherwise. */
  steps?: Partial<Activities>;
}

/** For all of a test: its server leaps on by months where nothing is left to be done. */
const frozen = [{ from: '2020-01-01T00:00:00Z', to: '2090-01-01T00:00:00Z' }];

async function promote(
  { staging, production, more, environment = 'staging', steps }: Parts,
  during?: (handle: WorkflowHandle) => Promise<void>,
) {
  return await promoteStory(
    env,
    {
      staging: environmentSteps(env, 'staging', { fails, inputs }, steps),
      production: environmentSteps(env, 'production', { fails, inputs }),
    },
    (queues) => ({
      name: 'orders',
      subject: 'orders@sha256:1',
      startedBy: 'carol',
      stages: [
        {
          name: 'staging',
          environment: { name: environment, taskQueue: queues.staging },
          experiments: [kills],
          ...staging,
        },
        {
          name: 'production',
          environment: { name: 'production', taskQueue: queues.production },
          experiments: [{ ...kills, name: 'prod-kills', cluster: { namespace: 'kafka' } }],
          proof: { stage: 'staging' },
          ...production,
        },
      ],
      ...more,
    }),
    during,
  );
}

async function status(handle: WorkflowHandle): Promise<PromotionRecord> {
  return await handle.query<PromotionRecord>('status');
}

/** Waits until the first stage is in a state. */
async function until(handle: WorkflowHandle, state: string, stage = 0): Promise<void> {
  await expect.poll(async () => (await status(handle)).stages[stage]?.state, { timeout: 30_000 }).toBe(state);
}

function ask(handle: WorkflowHandle, request: string, said: object): Promise<string> {
  return handle.executeUpdate(request, { args: [said] });
}

test('what passes every stage is Promoted; each run has the input that a person would give, and production is proven by staging', async () => {
  const { record } = await promote({});
  expect(record).toMatchObject({ outcome: 'Promoted', subject: 'orders@sha256:1', startedBy: 'carol' });
  expect(inputs).toEqual([kills, { ...kills, name: 'prod-kills', cluster: { namespace: 'kafka' } }]);
  const [staging, production] = record?.stages ?? [];
  expect([staging?.state, production?.state]).toEqual(['passed', 'passed']);
  expect(production?.proof).toContain(staging?.runs[0]?.workflowId);
  expect(production?.runs).toMatchObject([{ verdict: 'Pass', environment: 'production', purpose: 'stage' }]);
  const child = await env.client.workflow.getHandle(staging?.runs[0]?.workflowId ?? '').describe();
  expect([child.type, child.taskQueue]).toEqual(['kafkaBrokerFailure', staging?.taskQueue]);
});

test('a Fail in staging stops before production, once nobody has decided otherwise in time', async () => {
  fails.add('kills');
  const { record } = await promote({});
  expect(record?.outcome).toBe('Rejected');
  expect(record?.reason).toContain('kills ended Fail: not all replicas were in sync');
  expect(record?.stages.map(({ state }) => state)).toEqual(['not passed', 'pending']);
  expect(inputs).toEqual([kills]);
});

test('in order, what comes after a run that did not pass is not run; side by side all are', async () => {
  fails.add('first');
  const experiments = ['first', 'second'].map((name) => ({ ...kills, name }));
  const names = async (sideBySide: boolean) => {
    const { record } = await promote({ staging: { experiments, sideBySide, hold: '0s' } });
    return record?.stages[0]?.runs.map(({ experiment, verdict }) => `${experiment} ${verdict}`);
  };
  expect(await names(false)).toEqual(['first Fail']);
  expect(await names(true)).toEqual(['first Fail', 'second Pass']);
});

test('n of the named approvers open an approval; others, the starter, a wrong role and a second time are refused with the reason', async () => {
  const { record } = await promote({ staging: { gates: [{ ...approval, needed: 2 }] } }, async (handle) => {
    await until(handle, 'waiting');
    const reason = 'looks good';
    const answers = async () =>
      (await status(handle)).stages[0]?.answers?.map((line) =>
        line.replace(/^.*promote | --reason TEXT$/g, ''),
      );
    const line = (verb: string, actor: string) =>
      `${verb} ${handle.workflowId} --stage staging --actor ${actor}`;
    const bobs = line('approve', 'bob');
    const rejects = line('reject', 'ann');
    expect(await answers()).toEqual([`${line('approve', 'ann')} --role sre`, bobs, rejects]);
    const refused = async (said: object) =>
      ((await ask(handle, 'approve', said).catch((error: Error) => error.cause)) as Error).message;
    expect(await refused({ actor: 'eve', reason })).toContain('eve is no approver of staging');
    expect(await refused({ actor: 'carol', reason })).toContain('somebody else has to approve');
    expect(await refused({ actor: 'ann', reason })).toBe('role: ann approves as sre');
    expect(await refused({ actor: 'bob' })).toBe('reason: missing; a text is expected');
    expect(await refused({ actor: 'bob', reason, stage: 'production' })).toContain('is at staging');
    expect(await ask(handle, 'approve', { actor: 'ann', role: 'sre', reason })).toBe(
      '1 of 2 approvals of staging',
    );
    expect(await answers()).toEqual([bobs, rejects]);
    expect(await refused({ actor: 'ann', role: 'sre', reason })).toBe('ann has approved already');
    expect(await ask(handle, 'approve', { actor: 'bob', reason: 'me too' })).toBe(
      '2 of 2 approvals of staging',
    );
  });
  expect(record?.outcome).toBe('Promoted');
  expect(record?.stages[0]?.gates).toMatchObject([{ kind: 'approval', how: 'approved by ann (sre), bob' }]);
  expect(record?.decisions).toMatchObject([
    { request: 'approve', actor: 'ann', role: 'sre', reason: 'looks good', stage: 'staging' },
    { request: 'approve', actor: 'bob', reason: 'me too' },
  ]);
});

test('an approval that does not come in time ends as Expired', async () => {
  const { record } = await promote({ staging: { gates: [{ ...approval, expires: '2h' }] } });
  expect(record).toMatchObject({ outcome: 'Expired', reason: 'staging: 0 of 1 approvals came within 2h' });
  expect(record?.stages[1]?.runs).toEqual([]);
});

test('a held stage is begun anew, or goes on in spite of what holds it, on the word of those who may say so', async () => {
  fails.add('kills');
  const reason = 'a known flake';
  const { record } = await promote(
    { more: { overriders: ['ann'] }, production: { proof: undefined } },
    async (handle) => {
      await until(handle, 'held');
      const early = ask(handle, 'approve', { actor: 'ann', reason });
      await expect(early).rejects.toMatchObject({
        cause: { message: expect.stringContaining('waits for no approval') },
      });
      await ask(handle, 'retry', { actor: 'bob', reason });
      await expect.poll(async () => (await status(handle)).stages[0]?.attempt, { timeout: 30_000 }).toBe(2);
      await until(handle, 'held');
      const other = ask(handle, 'override', { actor: 'bob', reason });
      await expect(other).rejects.toMatchObject({
        cause: { message: 'actor: bob may not override; ann may' },
      });
      await ask(handle, 'override', { actor: 'ann', reason });
    },
  );
  expect(record?.outcome).toBe('Promoted');
  expect(record?.stages[0]).toMatchObject({
    state: 'overridden',
    attempt: 2,
    runs: [{ attempt: 1 }, { attempt: 2 }],
  });
  expect(record?.decisions.map(({ request, actor }) => `${request} ${actor}`)).toEqual([
    'retry bob',
    'override ann',
  ]);
});

test('production takes no proof of another spec or of another subject', async () => {
  const earlier = await promote({ production: { proof: undefined } });
  // The clock may have jumped by years since.
  const proof = { stage: 'staging', maxAge: '20000d', promotion: earlier.handle.workflowId };
  const only = (more: object = {}, production: object = {}) => ({
    staging: { name: 'canary' },
    production: { proof, hold: '0s', ...production },
    more,
  });
  const end = async (parts: Parts) => (await promote(parts)).record;
  expect((await end(only()))?.outcome).toBe('Promoted');
  const other = await end(only({ subject: 'orders@sha256:2' }));
  expect([other?.outcome, other?.reason]).toEqual([
    'Rejected',
    'production: no proof: staging was passed by orders@sha256:1, not by orders@sha256:2',
  ]);
  expect(other?.stages[1]?.runs).toEqual([]);
  const controller = { ...kills, target: 'controller' };
  expect((await end(only({}, { experiments: [controller] })))?.reason).toContain('never passed in staging');
});

test('a stage that was overridden is no proof', async () => {
  fails.add('kills');
  const overridden = await promote(
    { more: { overriders: ['ann'] }, production: { hold: '0s' } },
    async (handle) => {
      await until(handle, 'held');
      await ask(handle, 'override', { actor: 'ann', reason: 'a known flake' });
    },
  );
  expect(overridden.record?.reason).toBe('production: no proof: stage staging is overridden');
});

test('a soak repeats the experiments for its time, and one repeat that does not pass holds the stage', async () => {
  const gates = [{ kind: 'soak', duration: '5h', every: '2h' }];
  const base = environmentSteps(env, 'staging', { fails, inputs });
  let soaking: WorkflowHandle | undefined;
  const answersWhileRun: (string[] | undefined)[] = [];
  const steps: Partial<Activities> = {
    closeStream: async (request) => {
      if (soaking) answersWhileRun.push((await status(soaking)).stages[0]?.answers);
      return await base.closeStream(request);
    },
  };
  const { record } = await promote(
    { staging: { gates }, more: { overriders: ['ann'] }, steps },
    async (handle) => {
      await until(handle, 'waiting');
      const { answers } = (await status(handle)).stages[0] ?? {};
      expect(answers).toHaveLength(1);
      soaking = handle;
      await env.sleep('2h');
      await expect
        .poll(async () => (await status(handle)).stages[0]?.gates[0]?.how, { timeout: 30_000 })
        .toBe('1 of 3 repeats passed');
      expect((await status(handle)).stages[0]?.answers).toEqual(answers);
    },
  );
  const [staging] = record?.stages ?? [];
  expect(record?.outcome).toBe('Promoted');
  expect(answersWhileRun).toEqual([undefined, undefined, undefined]);
  expect(staging?.runs.map(({ purpose }) => purpose)).toEqual(['stage', 'soak', 'soak', 'soak']);
  const soaked = Date.parse(staging?.passedAt ?? '') - Date.parse(staging?.gates[0]?.since ?? '');
  expect(soaked).toBeGreaterThanOrEqual(5 * 3_600_000);
  const broken = await promote({ staging: { gates } }, async (handle) => {
    await until(handle, 'waiting');
    fails.add('kills');
  });
  expect(broken.record?.reason).toMatch(/^staging: repeat 1 of the soak: kills ended Fail/);
});

test('a soak whose runs last longer than its interval leaves out what it has missed, but never the last repeat', async () => {
  const base = environmentSteps(env, 'staging', { fails, inputs });
  const steps: Partial<Activities> = {
    // Two kills that lie 70 minutes apart.
    resolve: async (input) => {
      const { experiment, ...resolved } = await base.resolve(input);
      const schedule = { ...experiment.schedule, durationSeconds: 8_400, intervalSeconds: 4_200 };
      return { ...resolved, experiment: { ...experiment, schedule } };
    },
  };
  const gates = [{ kind: 'soak', duration: '6h', every: '1h' }];
  const { record } = await promote({ staging: { gates }, steps });
  expect(record?.outcome).toBe('Promoted');
  const { runs = [], gates: [gate] = [] } = record?.stages[0] ?? {};
  const minutes = runs
    .filter(({ purpose }) => purpose === 'soak')
    .map(({ startedAt }) => Math.floor((Date.parse(startedAt) - Date.parse(gate?.since ?? '')) / 60_000));
  expect(minutes).toEqual([60, 180, 300, 370]);
  expect(gate?.how).toBe('4 of 4 repeats passed, 2 left out: the one before was not over');
});

test('a repeat of a soak that passes but is worse than the last passed run of its spec holds the stage', async () => {
  const base = environmentSteps(env, 'staging', { fails, inputs });
  const baseline = {
    workflowId: 'earlier',
    runId: 'r',
    endedAt: '2026-01-01T00:00:00.000Z',
    figures: { 'producer-outage-max': 500 },
  };
  let runs = 0;
  const steps: Partial<Activities> = {
    // The first run of a spec has nothing to be compared with.
    resolve: async (input) => ({ ...(await base.resolve(input)), ...(runs++ > 0 ? { baseline } : {}) }),
    closeStream: async (request) => {
      const { stream, ...closing } = await base.closeStream(request);
      const longestAckGapMs = runs < 3 ? 600 : 2_000;
      return { ...closing, ...(stream ? { stream: { ...stream, longestAckGapMs } } : {}) };
    },
  };
  const gates = [{ kind: 'soak', duration: '6h', every: '2h' }];
  const { record } = await promote({ staging: { gates, hold: '0s' }, steps });
  expect(record?.outcome).toBe('Rejected');
  expect(record?.reason).toMatch(
    /^staging: repeat 2 of the soak: kills got worse: worse than in run earlier of .*2\.0+ s, was/,
  );
  expect(record?.stages[0]?.runs.map(({ verdict }) => verdict)).toEqual(['Pass', 'Pass', 'Pass']);
});

test('a soak and a window can be overridden by those who may, and the stage is then no proof', async () => {
  const held = [
    { kind: 'soak', duration: '300d', every: '100d' },
    { kind: 'window', freeze: frozen },
  ];
  for (const gate of held) {
    const { record } = await promote(
      {
        more: { overriders: ['ann', 'carol'] },
        staging: { gates: [gate] },
        production: { hold: '0s' },
      },
      async (handle) => {
        await until(handle, 'waiting');
        const [stage] = (await status(handle)).stages;
        expect(stage?.answers).toEqual([
          `leaderfall promote override ${handle.workflowId} --stage staging --actor ann --reason TEXT`,
        ]);
        const starter = ask(handle, 'override', { actor: 'carol', reason: 'hurry' });
        await expect(starter).rejects.toMatchObject({
          cause: { message: expect.stringContaining('somebody else has to override') },
        });
        await ask(handle, 'override', { actor: 'ann', reason: 'a hotfix' });
      },
    );
    expect(record?.stages[0]).toMatchObject({
      state: 'overridden',
      gates: [{ kind: gate.kind, how: 'overridden by ann: a hotfix' }],
      runs: [{ purpose: 'stage' }],
    });
    expect(record?.stages[0]?.answers).toBeUndefined();
    expect(record?.reason).toBe('production: no proof: stage staging is overridden');
  }
});

test('a window keeps a stage until it opens, or expires first', async () => {
  const now = await env.currentTimeMs();
  const freeze = [
    { from: new Date(now - 60_000).toISOString(), to: new Date(now + 5 * 3_600_000).toISOString() },
  ];
  const { record } = await promote({ staging: { gates: [{ kind: 'window', freeze }] } });
  expect(record?.outcome).toBe('Promoted');
  expect(Date.parse(record?.stages[0]?.gates[0]?.openedAt ?? '')).toBeGreaterThanOrEqual(
    Date.parse(freeze[0]?.to ?? ''),
  );

  const gates = [{ kind: 'window', freeze: frozen, expires: '3d' }];
  expect((await promote({ staging: { gates } })).record).toMatchObject({
    outcome: 'Expired',
    reason: 'staging: the window did not open within 3d',
  });
});

test('a worker of another environment on the queue does not count', async () => {
  const { record } = await promote({ environment: 'canary', staging: { hold: '0s' } });
  expect(record?.reason).toBe('staging: kills ran in environment staging, not in canary');
});

test('wrong input fails at once with the names of the fields', async () => {
  const { error } = await promote({
    staging: { gates: [{ kind: 'approvals' }], experiments: [{ targt: 1 }] },
  });
  expect(error?.cause).toMatchObject({
    type: 'INPUT_INVALID',
    message: expect.stringContaining('stages.0.gates.0'),
  });
});
