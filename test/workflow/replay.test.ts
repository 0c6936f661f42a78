import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';

/**
 * Runs that are under way when a worker is replaced go on with the new code: it must take the same decisions from the same history.
 * The histories are real ones, as `temporal workflow show --output json` gives them.
 */
Runtime.install({ logger: new DefaultLogger('ERROR') });

const histories = fileURLToPath(new URL('../histories', import.meta.url));
const files = readdirSync(histories).filter((name) => name.endsWith('.json'));
let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('../../src/workflows/all-workflows.ts', import.meta.url));
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
});

function history(name: string): { events: Record<string, unknown>[] } {
  return JSON.parse(readFileSync(join(histories, name), 'utf8')) as { events: Record<string, unknown>[] };
}

test('there are histories to replay', () => {
  expect(files.length).toBeGreaterThanOrEqual(2);
});

test.each(files)('%s replays', async (name) => {
  await Worker.runReplayHistory({ workflowBundle }, history(name));
});

test('a history of another story is refused, so that a changed workflow would be too', async () => {
  const [name = ''] = files;
  const changed = JSON.parse(
    JSON.stringify(history(name)).replaceAll('"startLiveness"', '"startSomethingElse"'),
  ) as object;
  await expect(Worker.runReplayHistory({ workflowBundle }, changed)).rejects.toThrow(
    /[Nn]ondeterminism|DeterminismViolation/,
  );
});
