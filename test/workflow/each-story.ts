import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach } from 'vitest';
import { type Seen, timeSkippingServer } from './story-support.ts';

/** The server of the test that is running. */
export let env: TestWorkflowEnvironment;
/** What the stub activities of its story saw. */
export let seen: Seen;
/** To be resolved with the story's run, for steps that ask something of it. */
export let handle: PromiseWithResolvers<WorkflowHandle>;

/** Gives each test of a file a time-skipping server of its own, and a story that nothing is known of. */
export function eachOnItsOwnServer(): void {
  beforeEach(async () => {
    env = await timeSkippingServer();
    seen = { calls: [], acts: [] };
    handle = Promise.withResolvers();
  });
  afterEach(async () => {
    await env.teardown();
  });
}
