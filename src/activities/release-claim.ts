import { LeaderfallError } from '../experiment/errors.ts';
import { claimedStatefulSet, runLabel } from '../experiment/identity.ts';
import { parseExperiment } from '../experiment/parse.ts';
import { resolveExperiment } from '../experiment/resolve.ts';
import { releaseClaim } from '../kubernetes/lease.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { currentRun, runStep } from './step.ts';

type Dependencies = Pick<ActivityDependencies, 'kubernetes' | 'defaults'>;

/** Finds the run's claim by its label: which StatefulSet it names, nobody has heard. */
export function makeReleaseClaim(deps: Dependencies): Activities['releaseClaim'] {
  return ({ input }) =>
    runStep('clean-up', async () => {
      const namespace = namespaceOf(deps, input);
      // Nothing was claimed for an input that cannot be read.
      if (namespace === undefined) return { leftovers: [], done: [] };
      const run = currentRun();
      const { kubernetes } = deps;
      const kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace };
      const { items } = await kubernetes.list(kind, { label: `${runLabel}=${run.runId}` });
      const done: string[] = [];
      for (const { metadata } of items) {
        const statefulSet = claimedStatefulSet(metadata?.name ?? '');
        if (await releaseClaim({ kubernetes, run, namespace, statefulSet })) done.push('claim released');
      }
      return { leftovers: [], done };
    });
}

function namespaceOf({ defaults }: Dependencies, input: unknown): string | undefined {
  try {
    return resolveExperiment(parseExperiment(input).experiment, defaults).cluster.namespace;
  } catch (error) {
    if (error instanceof LeaderfallError && error.problem.code === 'INPUT_INVALID') return undefined;
    throw error;
  }
}
