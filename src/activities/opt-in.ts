import { problem } from '../experiment/errors.ts';
import { belongingOf, chaosAnnotation, formerAnnotation } from '../experiment/identity.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import { formerInWords, isOptedIn } from './annotate.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { standingOf } from './standing.ts';

type Asks = Pick<ActivityDependencies, 'kubernetes' | 'runState' | 'ownerOfRun'>;

/**
 * Opt-in as in Litmus: an existing StatefulSet must carry the chaos annotation, unless annotationCheck is off. Throws
 * TARGET_NOT_ANNOTATED.
 */
export async function checkOptIn(deps: Asks, experiment: ResolvedExperiment, name?: string): Promise<void> {
  if (!experiment.annotationCheck || !name) return;
  const { namespace } = experiment.cluster;
  const found = await deps.kubernetes.read({ apiVersion: 'apps/v1', kind: 'StatefulSet', namespace, name });
  const annotations = found?.metadata?.annotations ?? {};
  if (isOptedIn(annotations)) return;
  const annotate = `kubectl -n ${namespace} annotate statefulset ${name}`;
  const { evidence, first } = await whyNot(deps, annotations, { namespace, annotate });
  throw problem('TARGET_NOT_ANNOTATED', `StatefulSet ${namespace}/${name} has not opted in to chaos`, {
    evidence,
    next: `${first}${annotate} ${chaosAnnotation}=true, or set annotationCheck: false`,
  });
}

/** Where a run's note stands, a person who annotates is not heard until it is gone. `first`: how it goes. */
async function whyNot(
  deps: Asks,
  annotations: Record<string, string>,
  { namespace, annotate }: { namespace: string; annotate: string },
): Promise<{ evidence: string[]; first: string }> {
  const former = formerInWords(annotations);
  if (former === undefined) return { evidence: [`annotation ${chaosAnnotation} is not "true"`], first: '' };
  const note = `its note ${formerAnnotation}: ${former}`;
  const of = belongingOf({ annotations });
  if (!of) {
    const whose = `annotation ${chaosAnnotation} is a run’s, which does not say its name any more`;
    return { evidence: [whose, note], first: `${annotate} ${formerAnnotation}-, then ` };
  }
  const { state, why } = await standingOf(deps, of, Date.now());
  const ended = state === 'ended';
  const whose = `annotation ${chaosAnnotation} is of the run ${of.owner}${ended ? `, which ended without its clean-up (${why})` : ''}`;
  const sweep = `leaderfall janitor --once -n ${namespace}, then `;
  return { evidence: [whose, note], first: ended ? sweep : `When that run has ended: ${sweep}` };
}
