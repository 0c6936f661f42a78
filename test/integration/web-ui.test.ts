import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import { setUp } from '../../src/cli/commands/setup.ts';
import { withTemporal } from '../../src/cli/commands/shared.ts';
import { searchAttributeNames } from '../../src/experiment/search-attributes.ts';
import { type OpenPage, press, shows, typeInto, withPage } from '../support/browser.ts';
import { healthy, type Seen, untilCancelled } from '../workflow/story-support.ts';
import { neverLate, realClock, startStoryWorker } from './story-worker.ts';

/**
 * A person with nothing but Temporal's Web UI: starts a run by the form, reads how it stands, stops it. The real workflow on a
 * real server; its steps only say what real ones would.
 */
const taskQueue = `web-ui-${Date.now()}`;
const ui = process.env.TESTBED_WEB_UI ?? 'http://127.0.0.1:8233';
const pictures = process.env.LEADERFALL_PICTURES;

let connection: Connection;
let client: Client;
let workers: { stop(): Promise<void> };
let seen: Seen;

beforeAll(async () => {
  connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
  client = new Client({ connection });
  await withTemporal(setUp);
  workers = await startStoryWorker(taskQueue, steps());
});

afterAll(async () => {
  await workers.stop();
  await connection.close();
});

/** Steps of a run on a healthy Kafka, its first kill proven; the proof of the second lasts until somebody stops the run. */
function steps(): Activities {
  seen = { calls: [], acts: [] };
  const base = healthy(realClock, seen, {}, short);
  const steps = {
    resolve: async (input) => ({
      ...(await base.resolve(input)),
      searchAttributes: [...searchAttributeNames],
    }),
    prove: async ({ plan }) => (plan.index === 0 ? proven : await untilCancelled()),
    record: async (request) => {
      if (request.cancelRun) await client.workflow.getHandle(started).cancel();
      return await base.record(request);
    },
  } satisfies Partial<Activities>;
  return healthy(realClock, seen, steps, short);
}

/** Two kills: the proof of the last has three minutes. */
const short = { durationSeconds: 20, intervalSeconds: 10, ...neverLate };

const proven = {
  ...{ proven: true, evidence: ['gone'], exitCode: 143, timeToNewLeaderMs: 412, newLeader: 1 },
  stream: {
    ...{ at: new Date().toISOString(), acked: 4_012, ackRate: 200, receiveRate: 199 },
    ...{ longestAckGapMs: 512, longestSilenceMs: 640 },
  },
};

const started = `by-hand-${Date.now()}`;

/** The upper part of the page, in which there is something. */
async function picture({ page }: OpenPage, name: string, height: number): Promise<void> {
  const clip = { x: 0, y: 0, width: 1_200, height };
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` as `${string}.png`, clip });
}

test('started by the form, read while it runs, stopped by its own abort: the run ends as Canceled', async () => {
  await withPage({ width: 1_200, height: 1_600 }, async (opened) => {
    const { page } = opened;
    await page.goto(`${ui}/namespaces/default/workflows/start-workflow`, { waitUntil: 'networkidle0' });
    await page.type('#workflowId', started);
    await page.type('#taskQueue', taskQueue);
    await page.type('#workflowType', 'kafkaBrokerFailure');
    await typeInto(page, '.cm-content', '{"cluster": {"namespace": "kafka"}');
    await picture(opened, 'start', 960);
    // The form takes what was typed a moment later, and says so by nothing: pressed until it leads away.
    await expect
      .poll(
        async () => {
          await press(page, '[data-testid="start-workflow-button"]');
          return seen.calls.length;
        },
        { timeout: 30_000, interval: 1_000 },
      )
      .toBeGreaterThan(0);
    const proofs = () => seen.calls.filter((call) => call === 'prove').length;
    await expect.poll(proofs, { timeout: 60_000 }).toBe(2);

    const run = `${ui}/namespaces/default/workflows/${started}`;
    await page.goto(run, { waitUntil: 'domcontentloaded' });
    await shows(page, 'kill • kill 1/2: kafka-kafka-0, broker 0, leader of t');
    await shows(page, 'kill • kill 2/2');
    await picture(opened, 'timeline', 1_260);
    await press(page, '[data-testid="user-metadata-tab"]');
    await shows(page, 'Current Details');
    await shows(page, '2 times delete of the leader, one every 10 s');
    await shows(page, '200 acknowledged and 199 received in a second');
    await shows(page, '0.51 s of 180 s');
    await shows(page, 'stream steady through topic t');
    await picture(opened, 'details', 1_380);
    await press(page, '[data-testid="search-attributes-tab"]');
    await shows(page, 'kafka/kafka-kafka');

    await press(page, 'button::-p-text(More Actions)');
    await press(page, '[role=menuitem]::-p-text(Send an Update)');
    await press(page, '[data-testid="update-select-button"]');
    await shows(page, 'Stop the run: no further kill');
    await picture(opened, 'updates', 1_080);
    await press(page, '[role=option]::-p-text(abort)');
    await typeInto(
      page,
      'dialog .cm-content, [role=dialog] .cm-content',
      '{"actor": "ann", "reason": "a release"}',
    );
    await press(page, '[data-testid="confirm-modal-button"]::-p-text(Submit)');

    const handle = client.workflow.getHandle(started);
    await expect
      .poll(async () => (await handle.describe()).status.name, { timeout: 30_000 })
      .toBe('CANCELLED');
    expect(seen.recorded).toMatchObject({ verdict: 'Stopped', reasons: ['stopped by ann: a release'] });
    expect(seen.acts).toHaveLength(2);
    await page.goto(run, { waitUntil: 'domcontentloaded' });
    await shows(page, 'CANCELED');
    await press(page, '[data-testid="user-metadata-tab"]');
    await shows(page, 'Stopped: stopped by ann: a release');
    await picture(opened, 'stopped', 820);
  });
});
