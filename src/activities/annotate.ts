import { problem } from '../experiment/errors.ts';
import {
  chaosAnnotation,
  expiresAnnotation,
  formerAnnotation,
  ownerAnnotation,
  ownerOf,
  runAnnotations,
} from '../experiment/identity.ts';
import type { StatefulSetRef } from '../experiment/result.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import type { Activities, Resolved } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

/** Opts the StatefulSet in, and writes beside it what stood there, so that it can be restored without the history. */
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
      const noted = annotations[formerAnnotation];
      const former =
        noted === undefined ? (annotations[chaosAnnotation] ?? null) : (JSON.parse(noted) as string | null);
      if (annotations[ownerAnnotation] === ownerOf(resolved.run)) return { former, annotated: false };
      await deps.kubernetes.mergePatch(ref, {
        metadata: {
          resourceVersion: found.metadata?.resourceVersion,
          annotations: {
            [chaosAnnotation]: 'true',
            [formerAnnotation]: JSON.stringify(former),
            ...runAnnotations(resolved.run, resolved.expires),
          },
        },
      });
      return { former, annotated: true };
    });
}

/** Puts the former value back where this run's note still stands. Gives what was done, or undefined where nothing was to do. */
export async function restoreAnnotation(
  kubernetes: KubernetesPort,
  resolved: Resolved,
  statefulSet: StatefulSetRef,
): Promise<string | undefined> {
  const ref = refOf(statefulSet);
  const found = await kubernetes.read(ref);
  const annotations = found?.metadata?.annotations ?? {};
  if (!found || annotations[ownerAnnotation] !== ownerOf(resolved.run)) return undefined;
  const former = JSON.parse(annotations[formerAnnotation] ?? 'null') as string | null;
  await kubernetes.mergePatch(ref, {
    metadata: {
      resourceVersion: found.metadata?.resourceVersion,
      annotations: {
        [chaosAnnotation]: former,
        [formerAnnotation]: null,
        [ownerAnnotation]: null,
        [expiresAnnotation]: null,
      },
    },
  });
  return `annotation ${chaosAnnotation} back to ${former === null ? 'none' : `"${former}"`}`;
}

function refOf(statefulSet: StatefulSetRef) {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    namespace: statefulSet.namespace,
    name: statefulSet.name,
  };
}
