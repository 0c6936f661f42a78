import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../src/activities/contract.ts';
import type { PromotionRecord } from '../../src/experiment/promotion/record.ts';
import { environmentSteps, httpServer, lastingProof, promoteStory } from './promotion-support.ts';

interface Path {
  /** Fields of the first stage, and of the promotion. */
  stage?: object;
  more?: object | ((url: string) => object);
  fails?: string[];
  /** Steps of both environments that do something else. */
  steps?: Partial<Activities>;
  during?: (handle: WorkflowHandle, fails: Set<string>) => Promise<unknown>;
}

/** A promotion through two stages, whose first is special. */
function promotion({ stage, more = {}, fails = [], steps = {}, during = async () => {} }: Path = {}) {
  return async (env: TestWorkflowEnvironment): Promise<WorkflowHandle> => {
    const { url, server } = await httpServer();
    const failing = new Set(fails);
    const stepsIn = (name: string) => environmentSteps(env, name, { fails: failing, inputs: [] }, steps);
    const stageOf = (name: string, taskQueue: string) => ({
      name,
      environment: { name, taskQueue },
      experiments: [{ name: `${name}-kills`, cluster: { namespace: `kafka-${name}` } }],
    });
    try {
      const { handle } = await promoteStory(
        env,
        { staging: stepsIn('staging'), production: stepsIn('production') },
        (queues) => ({
          name: 'orders',
          subject: 'orders@sha256:1',
          startedBy: 'carol',
          stages: [
            { ...stageOf('staging', queues.staging), ...stage },
            stageOf('production', queues.production),
          ],
          ...(typeof more === 'function' ? more(url) : more),
        }),
        async (handle) => void (await during(handle, failing)),
      );
      return handle;
    } finally {
      server.close();
    }
  };
}

const ask = (handle: WorkflowHandle, request: string, actor: string) =>
  handle.executeUpdate(request, { args: [{ actor, reason: 'a release' }] });

/** Waits until the first stage is in a state. */
async function until(handle: WorkflowHandle, state: string): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    const record = await handle.query<PromotionRecord>('status');
    if (record.stages[0]?.state === state) return;
    await delay(200);
  }
  throw new Error(`the first stage never was ${state}`);
}

const approval = { kind: 'approval', approvers: [{ name: 'ann' }, { name: 'bob' }] };
const day = 86_400_000;
const frozen = (days: number) => ({
  kind: 'window',
  freeze: [{ from: new Date(0).toISOString(), to: new Date(Date.now() + days * day).toISOString() }],
});

const sideBySide = {
  sideBySide: true,
  experiments: ['kills', 'more-kills'].map((name) => ({
    name,
    cluster: { namespace: `kafka-${name}` },
  })),
};

/** A promotion that is cancelled while as many runs as that are proving a kill. */
function cancelled(runs: number, stage: object = {}) {
  return async (env: TestWorkflowEnvironment): Promise<WorkflowHandle> => {
    const { prove, begun } = lastingProof(runs);
    const during = async (handle: WorkflowHandle) => {
      await begun;
      await handle.cancel();
    };
    return await promotion({ stage, steps: { prove }, during })(env);
  };
}

/** Every path of a promotion, by the name of its history. */
export const recordedPromotions = {
  'promotion-passed': promotion(),
  'promotion-refused': promotion({ stage: { gates: [{ kind: 'no-such' }] } }),
  'promotion-failed': promotion({ fails: ['staging-kills'], stage: { hold: '0s' } }),
  'promotion-held-and-overridden': promotion({
    fails: ['staging-kills'],
    more: { overriders: ['ann'] },
    during: async (handle) => {
      await until(handle, 'held');
      await ask(handle, 'override', 'ann');
    },
  }),
  'promotion-retried': promotion({
    fails: ['staging-kills'],
    during: async (handle, fails) => {
      await until(handle, 'held');
      fails.clear();
      await ask(handle, 'retry', 'bob');
    },
  }),
  'promotion-approved': promotion({
    stage: { gates: [{ ...approval, needed: 2 }] },
    during: async (handle) => {
      await until(handle, 'waiting');
      await ask(handle, 'approve', 'ann');
      await ask(handle, 'approve', 'bob');
    },
  }),
  'promotion-rejected': promotion({
    stage: { gates: [approval] },
    during: async (handle) => {
      await until(handle, 'waiting');
      await ask(handle, 'reject', 'ann');
    },
  }),
  'promotion-expired': promotion({ stage: { gates: [{ ...approval, expires: '2h' }] } }),
  'promotion-soaked': promotion({ stage: { gates: [{ kind: 'soak', duration: '5h', every: '2h' }] } }),
  'promotion-waited-for-window': promotion({ stage: { gates: [frozen(1)] } }),
  'promotion-stopped': promotion({
    stage: { gates: [frozen(300)] },
    during: async (handle) => {
      await until(handle, 'waiting');
      await handle.signal('stop', { actor: 'ann', reason: 'a release' });
    },
  }),
  'promotion-cancelled': cancelled(1),
  'promotion-side-by-side': promotion({ stage: sideBySide }),
  'promotion-side-by-side-failed': promotion({
    stage: { ...sideBySide, hold: '0s' },
    fails: ['kills'],
  }),
  'promotion-side-by-side-cancelled': cancelled(2, sideBySide),
  'promotion-hooks': promotion({
    more: (url) => ({
      notify: [{ kind: 'webhook', url: `${url}/news` }],
      onPromoted: [
        { kind: 'http', url: `${url}/deploy` },
        { kind: 'start', workflowType: 'deploy', taskQueue: 'deployers', workflowId: 'deploy-1', input: {} },
        { kind: 'signal', workflowId: 'nobody', signal: 'promoted' },
      ],
    }),
  }),
};
