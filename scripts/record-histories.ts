import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { recordedStories } from '../test/workflow/recorded-stories.ts';
import { timeSkippingServer } from '../test/workflow/story-support.ts';

/**
 * Records the histories that `npm test` replays: every story of test/workflow/recorded-stories.ts, each on a time-skipping server of its own.
 * Names as arguments record those alone. To be run when a workflow changes on purpose, before a release; histories of released versions
 * stay as they are, for their runs may still be under way.
 */
const folder = fileURLToPath(new URL('../test/histories', import.meta.url));

/** Stack traces name files by where they lie on this machine. */
const checkout = fileURLToPath(new URL('..', import.meta.url));

/** The packages may be another checkout's, by a link. */
const packages = realpathSync(`${checkout}node_modules`);

/** Larger ones are compressed. Bytes */
const largeBytes = 200_000;

const asked = process.argv.slice(2);
for (const [name, tell] of Object.entries(recordedStories)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const env = await timeSkippingServer();
  try {
    const handle = await tell(env);
    const histories = await historiesOf(env, handle);
    for (const [index, text] of histories.entries())
      write(histories.length > 1 ? `${name}-${index + 1}` : name, text);
  } finally {
    await env.teardown();
  }
}

/** All histories of a run, those that it went on in included, as text. */
async function historiesOf(env: TestWorkflowEnvironment, { workflowId }: WorkflowHandle): Promise<string[]> {
  const texts: string[] = [];
  const { events: newest } = await env.client.workflow.getHandle(workflowId).fetchHistory();
  let runId = newest?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId;
  while (runId) {
    const history = await env.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
    // Real servers say it, and a replay makes ids of child workflows of it.
    if (started) started.workflowId = workflowId;
    texts.push(historyToJSON(history));
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return texts;
}

function write(name: string, text: string): void {
  const path = `${folder}/${name}.json`;
  rmSync(path, { force: true });
  rmSync(`${path}.gz`, { force: true });
  const compact = JSON.stringify(JSON.parse(text))
    .replaceAll(`file://${checkout}`, '')
    .replaceAll(checkout, '')
    .replaceAll(packages, 'node_modules');
  if (compact.length > largeBytes) writeFileSync(`${path}.gz`, gzipSync(compact, { level: 9 }));
  else writeFileSync(path, `${compact}\n`);
  console.log(`${name}: ${Math.round(compact.length / 1_024)} KiB`);
}
