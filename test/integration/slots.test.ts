import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Activities, RunContext } from '../../src/activities/contract.ts';
import { currentRun } from '../../src/activities/step.ts';
import { type TemporalServer, temporalOfItsOwn } from '../durability/temporal-server.ts';
import { healthy } from '../workflow/story-support.ts';
import { realClock, startStoryWorker } from './story-worker.ts';

const taskQueue = 'slots';
let temporal: TemporalServer;
const release = Promise.withResolvers<void>();
const enough = { actor: 'a test', reason: 'enough' };
const patience = { timeout: 60_000 };
const busy = new Set<string>();
const killed: string[] = [];
const watched = new Set<string>();
const proven: string[] = [];
let worker: { stop(): Promise<void> };

/** Runs whose first look, or whose clean-up, goes on until they are released, beside healthy ones. */
beforeAll(async () => {
  temporal = await temporalOfItsOwn('slots');
  const base = healthy(
    realClock,
    { calls: [], acts: [] },
    {},
    { durationSeconds: 600, intervalSeconds: 300 },
  );
  const held = async (name: string) => {
    busy.add(name);
    await release.promise;
  };
  const steps: Partial<Activities> = {
    resolve: async (input, origin) => {
      const resolved = await base.resolve(input, origin);
      const run = currentRun();
      const { experiment } = resolved;
      if (!run.workflowId.startsWith('watched')) return { ...resolved, run };
      return { ...resolved, run, experiment: { ...experiment, abortOn: ['producer-outage-max'] } };
    },
    watchSlo: async (request) => {
      watched.add(nameOf(request));
      return await base.watchSlo(request);
    },
    kill: async (request) => {
      killed.push(request.resolved.run.workflowId);
      return await base.kill(request);
    },
    prove: async (request) => {
      if (nameOf(request).startsWith('looks')) await held(nameOf(request));
      proven.push(nameOf(request));
      return await base.prove(request);
    },
    cleanUp: async (request) => {
      if (nameOf(request).startsWith('cleans')) await held(nameOf(request));
      return await base.cleanUp(request);
    },
  };
  worker = await startStoryWorker(taskQueue, { ...base, ...steps }, temporal.address, 1);
});

afterAll(async () => {
  release.resolve();
  await worker.stop();
  await temporal.stop();
});

const nameOf = ({ resolved }: Pick<RunContext, 'resolved'>) => resolved.run.workflowId;

const start = (workflowId: string) =>
  temporal.client.workflow.start('kafkaBrokerFailure', {
    ...{ taskQueue, workflowId, args: [{ cluster: { namespace: 'kafka' } }] },
  });

test('more runs than there is room for are watched all along, and their kills are proven meanwhile', async () => {
  const names = ['watched-1', 'watched-2', 'watched-3'];
  const runs = await Promise.all(names.map(start));
  await expect.poll(() => [...watched].sort(), patience).toEqual(names);
  await expect.poll(() => proven.filter((name) => watched.has(name)).sort(), patience).toEqual(names);
  for (const run of runs) await run.signal('abort', enough);
  for (const run of runs) await run.result().catch(() => {});
  killed.length = 0;
});

test('a run aims and kills while steps that observe have every slot there is, and clean-ups last', async () => {
  const kills = await start('kills');
  await expect.poll(() => killed, patience).toEqual(['kills']);
  const cleaning = ['cleans-1', 'cleans-2', 'cleans-3'];
  const runs = await Promise.all(cleaning.map(start));
  await expect.poll(() => new Set(killed).size, patience).toBe(1 + cleaning.length);
  for (const run of runs) await run.signal('abort', enough);
  await expect.poll(() => [...busy].sort(), patience).toEqual(cleaning);
  const looking = ['looks-1', 'looks-2'];
  await Promise.all(looking.map(start));
  await expect.poll(() => busy.size, patience).toBe(cleaning.length + looking.length);
  await kills.executeUpdate('killNow', { args: [enough] });
  await expect.poll(() => killed.filter((run) => run === 'kills'), patience).toHaveLength(2);
});
