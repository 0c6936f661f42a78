import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Worker,
  type WorkflowBundleOption,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as allWorkflows from '../../src/workflows/all-workflows.ts';
import { workflowCode } from '../support/build.ts';
import { recordedStories } from './recorded-stories.ts';

/**
 * Runs that are under way when a worker is replaced go on with the new code: it must take the same decisions from the same history.
 * Histories are as `temporal workflow show --output json` gives them: recorded by `npm run histories`, and two of real clusters.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'test/histories');
const files = readdirSync(folder).filter((name) => /\.json(\.gz)?$/.test(name));
const changed = mkdtempSync(join(tmpdir(), 'leaderfall-changed-'));
let workflowBundle: WorkflowBundleOption;

beforeAll(async () => {
  workflowBundle = await workflowCode();
});

afterAll(() => {
  rmSync(changed, { recursive: true });
});

function bundleOf(where: string): Promise<WorkflowBundleWithSourceMap> {
  const workflowsPath = join(where, 'src/workflows/all-workflows.ts');
  return bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
}

interface Recorded {
  events: {
    eventId: string;
    workflowExecutionStartedEventAttributes?: { workflowId?: string; workflowType?: { name?: string } };
    activityTaskScheduledEventAttributes?: object;
    timerStartedEventAttributes?: object;
    /** Payloads, base64. */
    userMetadata?: { summary?: { data?: string } };
  }[];
}

function history(name: string): Recorded {
  const bytes = readFileSync(join(folder, name));
  return JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()) as Recorded;
}

/** Ids of child workflows are made of the id of their parent. */
function workflowIdOf({ events }: Recorded): string | undefined {
  return events[0]?.workflowExecutionStartedEventAttributes?.workflowId;
}

test('every path has its history', () => {
  const recorded = new Set(files.map((name) => name.replace(/(-\d)?\.json(\.gz)?$/, '')));
  expect([...recorded]).toEqual(expect.arrayContaining(Object.keys(recordedStories)));
});

test('every workflow type that a worker serves has its histories', () => {
  const types = files.map((name) => {
    const [{ workflowExecutionStartedEventAttributes: started } = {}] = history(name).events;
    return started?.workflowType?.name ?? '';
  });
  expect(new Set(types)).toEqual(new Set(Object.keys(allWorkflows)));
});

test.each(files)('%s replays', async (name) => {
  const recorded = history(name);
  await Worker.runReplayHistory({ workflowBundle }, recorded, workflowIdOf(recorded));
});

test('every step and timer of every path says in one line what it is for', () => {
  const own = files.filter((name) => name.replace(/(-\d)?\.json(\.gz)?$/, '') in recordedStories);
  for (const name of own) {
    const begun = history(name).events.filter(
      (event) => event.activityTaskScheduledEventAttributes ?? event.timerStartedEventAttributes,
    );
    for (const { eventId, userMetadata } of begun) {
      const line = Buffer.from(userMetadata?.summary?.data ?? '', 'base64').toString();
      expect([name, eventId, line]).toEqual([name, eventId, expect.stringMatching(/^".+"$/)]);
    }
  }
});

test('a step left out of the workflow is caught', async () => {
  cpSync(join(root, 'src'), join(changed, 'src'), { recursive: true });
  cpSync(join(root, 'package.json'), join(changed, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(changed, 'node_modules'));
  const file = join(changed, 'src/workflows/kafka-broker-failure.ts');
  const code = readFileSync(file, 'utf8');
  const without = code.replace(/await boundedStep\(shortLine\(`opt [^;]*;/, '');
  expect(without).not.toBe(code);
  writeFileSync(file, without);
  const replay = Worker.runReplayHistory({ workflowBundle: await bundleOf(changed) }, history('pass.json'));
  await expect(replay).rejects.toThrow(/[Nn]ondeterminism|DeterminismViolation/);
});
