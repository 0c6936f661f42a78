import { msToTs } from '@temporalio/common/lib/time.js';
import { setUp } from '../src/cli/commands/setup.ts';
import type { TemporalAccess } from '../src/cli/connect-temporal.ts';
import { eventually } from '../test/support/testbed.ts';

/** A Temporal namespace of the benchmark's own: the server counts Actions by namespace, not by workflow. */
export const temporalNamespace = 'leaderfall-bench';

/** gRPC status. */
const alreadyExists = 6;

/** Registers the namespace and, as in a real one, the search attributes of a run. */
export async function ensureNamespace(access: TemporalAccess): Promise<void> {
  const { client } = access;
  const namespace = temporalNamespace;
  try {
    await client.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
  } catch (error) {
    if ((error as { code?: number }).code !== alreadyExists) throw error;
  }
  // The server's own copy of its namespaces is renewed every few seconds.
  await eventually('the Temporal namespace takes search attributes', 60, async () => {
    try {
      const lines = await setUp({ ...access, namespace });
      return lines.length > 0 && lines.every((line) => line.endsWith('was there'));
    } catch {
      return false;
    }
  });
}
