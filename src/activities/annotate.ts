import { problem } from '../experiment/errors.ts';
import {
  chaosAnnotation,
  expiresAnnotation,
  formerAnnotation,
  namespaceIdAnnotation,
  ownerAnnotation,
  ownerOf,
  type RunIdentity,
  runAnnotations,
} from '../experiment/identity.ts';
import type { StatefulSetRef } from '../experiment/result.ts';
import { heldClaim } from '../kubernetes/lease.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

/**
 * Opts the StatefulSet in, and writes beside it what stood there, so that it can be restored without the history. Throws
 * CLUSTER_CLAIMED where the run's claim is gone: then nobody would restore it.
 */
export function makeAnnotate(deps: ActivityDependencies): Activities['annotate'] {
  return ({ resolved, kafka }) =>
    runStep('annotate', async () => {
      const ref = refOf(kafka.statefulSet);
      const found = await deps.kubernetes.read(ref);
      if (!found) {
        throw problem('TARGET_NOT_FOUND', `StatefulSet ${kafka.statefulSet.name} is gone`, {
          next: 'Somebody deleted it during the run.',
        });
      }
      const annotations = found.metadata?.annotations ?? {};
      // A dead run's note beside the annotation is nearer to the truth than the annotation that it wrote.
      const note = readNote(annotations);
      const former = standing(annotations, note);
      if (note === 'unreadable') {
        const { namespace, name } = kafka.statefulSet;
        deps.log.warn({ namespace, statefulSet: name, annotation: formerAnnotation }, unreadable);
      }
      if (annotations[ownerAnnotation] === ownerOf(resolved.run)) return { former, annotated: false };
      const { run, experiment, statefulSetName: statefulSet } = resolved;
      const { namespace } = experiment.cluster;
      const claim = { kubernetes: deps.kubernetes, run, namespace, statefulSet };
      await heldClaim(claim);
      await deps.kubernetes.mergePatch(ref, {
        metadata: {
          resourceVersion: found.metadata?.resourceVersion,
          annotations: {
            [chaosAnnotation]: 'true',
            [formerAnnotation]: JSON.stringify(former),
            // That of the run before, where this one has none.
            [namespaceIdAnnotation]: null,
            ...runAnnotations(run, resolved.expires),
          },
        },
      });
      // The run may have been cleaned up between the two.
      await heldClaim(claim).catch(async (error: unknown) => {
        await restoreAnnotation(deps.kubernetes, run, kafka.statefulSet);
        throw error;
      });
      return { former, annotated: true };
    });
}

/** Puts the former value back where this run's note still stands. Gives what was done, or undefined where nothing was to do. */
export async function restoreAnnotation(
  kubernetes: KubernetesPort,
  run: RunIdentity,
  statefulSet: Pick<StatefulSetRef, 'namespace' | 'name'>,
): Promise<string | undefined> {
  const ref = refOf(statefulSet);
  const found = await kubernetes.read(ref);
  const annotations = found?.metadata?.annotations ?? {};
  if (!found || annotations[ownerAnnotation] !== ownerOf(run)) return undefined;
  const note = readNote(annotations);
  const former = formerOf(note);
  await kubernetes.mergePatch(ref, {
    metadata: {
      resourceVersion: found.metadata?.resourceVersion,
      annotations: {
        [chaosAnnotation]: former,
        [formerAnnotation]: null,
        [ownerAnnotation]: null,
        [namespaceIdAnnotation]: null,
        [expiresAnnotation]: null,
      },
    },
  });
  const back = `annotation ${chaosAnnotation} back to ${former === null ? 'none' : `"${former}"`}`;
  return note === 'unreadable' ? `${back}: ${unreadable}` : back;
}

/** Whether a person has opted the StatefulSet in, be it under the annotation that a dead run left. */
export function isOptedIn(annotations: Record<string, string>): boolean {
  return standing(annotations, readNote(annotations)) === 'true';
}

/** What stands there, or stood there before a run that is dead by now. */
function standing(annotations: Record<string, string>, note: ReturnType<typeof readNote>): string | null {
  return note === 'none' ? (annotations[chaosAnnotation] ?? null) : formerOf(note);
}

/**
 * What the note of a run says of what stood there before it. What a person has annotated since cannot be told from what that run
 * wrote. Undefined where no note stands.
 */
export function formerInWords(annotations: Record<string, string>): string | undefined {
  const note = readNote(annotations);
  if (note === 'none') return undefined;
  if (note === 'unreadable') return unreadable;
  return `${note.former === null ? 'none' : `"${note.former}"`} stood there before`;
}

const unreadable = `what stood there is not known, for the note ${formerAnnotation} was changed by somebody else`;

/** The note beside the chaos annotation; a person may have edited it, and no retry would make it readable again. */
function readNote(annotations: Record<string, string>): { former: string | null } | 'none' | 'unreadable' {
  const text = annotations[formerAnnotation];
  if (text === undefined) return 'none';
  try {
    const former: unknown = JSON.parse(text);
    return typeof former === 'string' || former === null ? { former } : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

/** Where it is not known what stood there, nothing is put back: an opt-in is a person's to give. */
function formerOf(note: ReturnType<typeof readNote>): string | null {
  return typeof note === 'string' ? null : note.former;
}

function refOf(statefulSet: Pick<StatefulSetRef, 'namespace' | 'name'>) {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    namespace: statefulSet.namespace,
    name: statefulSet.name,
  };
}
