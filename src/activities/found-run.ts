import { type Belonging, type RunIdentity, runOfOwner } from '../experiment/identity.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { SweptRun } from './janitor-contract.ts';
import { standingOf } from './standing.ts';
import type { StepContext } from './step.ts';
import type { Trace } from './traces.ts';

/** A run that left traces, and what is said of it. */
export interface FoundRun {
  run: RunIdentity;
  traces: Trace[];
  swept: SweptRun;
}

/** One round of the janitor. */
export interface Round {
  deps: ActivityDependencies;
  step: StepContext;
  dryRun: boolean;
  /** What could not be looked at, and why. */
  notes: string[];
}

/** A run of which something was found, with its standing. */
export async function foundRun(
  deps: ActivityDependencies,
  belonging: Belonging,
  found: string[],
  traces: Trace[] = [],
): Promise<FoundRun> {
  const { runId, owner } = belonging;
  const standing = await standingOf(deps, belonging, Date.now());
  // Of a run that nothing names but a topic, only the run id is known.
  const run = runOfOwner(owner ?? '') ?? { temporalNamespace: '', workflowId: '', runId };
  return { run, traces, swept: { run: owner ?? runId, ...standing, found, done: [], leftovers: [] } };
}

/** The runs that objects bear the marks of, by run id. */
export async function runsOf(deps: ActivityDependencies, traces: Trace[]): Promise<Map<string, FoundRun>> {
  const runs = new Map<string, FoundRun>();
  for (const [runId, own] of Map.groupBy(traces, (trace) => trace.runId)) {
    const { owner } = own.find((trace) => trace.owner) ?? {};
    const { temporalNamespaceId } = own.find((trace) => trace.temporalNamespaceId) ?? {};
    const { expires } = own.find((trace) => trace.expires !== undefined) ?? {};
    const belonging = {
      runId,
      ...(owner ? { owner } : {}),
      ...(temporalNamespaceId ? { temporalNamespaceId } : {}),
      ...(expires === undefined ? {} : { expires }),
    };
    const found = own.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
    runs.set(runId, await foundRun(deps, belonging, found, own));
  }
  return runs;
}
