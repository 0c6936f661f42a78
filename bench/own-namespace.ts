import { msToTs } from '@temporalio/common/lib/time.js';
import type { TemporalAccess } from '../src/cli/connect-temporal.ts';
import { eventually } from '../test/support/testbed.ts';

/** A Temporal namespace of the benchmark's own: the server counts Actions by namespace, not by workflow. */
export const temporalNamespace = 'leaderfall-bench';

/** gRPC status. */
const alreadyExists = 6;

/** IndexedValueType KEYWORD. */
const keyword = 2;

/** Registers the namespace and, as in a real one, the search attributes of a run. */
export async function ensureNamespace({ client, connection }: TemporalAccess): Promise<void> {
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
  const searchAttributes = { LeaderfallCluster: keyword, LeaderfallVerdict: keyword };
  await eventually('the Temporal namespace takes search attributes', 60, async () => {
    try {
      const { operatorService } = connection;
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
      if (customAttributes && 'LeaderfallVerdict' in customAttributes) return true;
      await operatorService.addSearchAttributes({ namespace, searchAttributes });
      return false;
    } catch {
      return false;
    }
  });
}
