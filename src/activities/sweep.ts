import { problem } from '../experiment/errors.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { type Round, runsOf } from './found-run.ts';
import type { JanitorActivities, JanitorReport, JanitorRequest } from './janitor-contract.ts';
import { janitorPermissions } from './permissions.ts';
import { checkRights } from './resolve.ts';
import { runStep } from './step.ts';
import { kafkasOf, sweepStreams } from './sweep-kafkas.ts';
import { finishRun, removePods } from './sweep-run.ts';
import { namespacesWithTraces, tracesIn } from './traces.ts';

/** One round of the janitor: what ended runs left is removed, in the order in which their own clean-up would have done it. */
export function makeSweep(deps: ActivityDependencies): JanitorActivities['sweep'] {
  return (request) =>
    runStep('clean-up', (step) => sweep({ deps, step, dryRun: request.dryRun ?? false, notes: [] }, request));
}

async function sweep(round: Round, request: JanitorRequest): Promise<JanitorReport> {
  const { deps, dryRun, notes } = round;
  const namespaces = request.namespaces ?? (await usualNamespaces(deps));
  await checkRights(deps.kubernetes, namespaces.flatMap(janitorPermissions));
  const runs = await runsOf(deps, await tracesIn(deps.kubernetes, namespaces));
  const ended = () => [...runs.values()].filter(({ swept }) => swept.state === 'ended');
  if (!dryRun) for (const run of ended()) await removePods(round, run);
  const kafkas = await kafkasOf(deps, namespaces, [...runs.values()]);
  const unreached = await sweepStreams(round, kafkas, runs);
  if (!dryRun)
    for (const run of ended()) await finishRun(round, run, { runs: [...runs.values()], unreached });
  return {
    schema: 'leaderfall.io/janitor/v1',
    at: new Date().toISOString(),
    dryRun,
    namespaces,
    runs: [...runs.values()].map(({ swept }) => swept),
    notes,
  };
}

async function usualNamespaces({ kubernetes, defaults }: ActivityDependencies): Promise<string[]> {
  const found = new Set(await namespacesWithTraces(kubernetes));
  if (defaults.target) found.add(defaults.target.namespace);
  if (found.size > 0 || (await mayListEverywhere(kubernetes))) return [...found];
  throw problem('INPUT_INVALID', 'the janitor does not know where to look', {
    evidence: [
      'namespaces: none is named',
      'the worker has no default target, and may not list Leases everywhere',
    ],
    next: 'Name namespaces with -n, or set LEADERFALL_TARGET_NAMESPACE on the worker.',
  });
}

async function mayListEverywhere(kubernetes: ActivityDependencies['kubernetes']): Promise<boolean> {
  const list = { verb: 'list', group: 'coordination.k8s.io', resource: 'leases' };
  return (await kubernetes.missingPermissions([list])).length === 0;
}
