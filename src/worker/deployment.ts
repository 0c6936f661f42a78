import type { WorkerDeploymentVersion } from '@temporalio/common';
import { z } from 'zod';
import { problem } from '../experiment/errors.ts';

// A version is written with these between its parts; the server refuses them in a name.
const name = z.string().regex(/^[^.:\s]+$/, 'must have no dot, colon or space');
const buildId = z.string().regex(/^[^:\s]+$/, 'must have no colon or space');

/**
 * Temporal's worker deployment that a worker belongs to, by the variables that Temporal's controller for Kubernetes sets; undefined:
 * an unversioned worker. Throws CONFIGURATION_INVALID.
 */
export function deploymentVersion(
  env: Record<string, string | undefined>,
): WorkerDeploymentVersion | undefined {
  const given = { name: env.TEMPORAL_DEPLOYMENT_NAME, build: env.TEMPORAL_WORKER_BUILD_ID };
  if (!given.name && !given.build) return undefined;
  const parts = [
    { variable: 'TEMPORAL_DEPLOYMENT_NAME', parsed: name.safeParse(given.name || undefined) },
    { variable: 'TEMPORAL_WORKER_BUILD_ID', parsed: buildId.safeParse(given.build || undefined) },
  ];
  const evidence = parts.flatMap(({ variable, parsed }) =>
    (parsed.error?.issues ?? []).map(
      ({ code, message }) =>
        `${variable}: ${code === 'invalid_type' ? 'missing, though the other one is set' : message}`,
    ),
  );
  if (evidence.length > 0 || !given.name || !given.build) {
    throw problem('CONFIGURATION_INVALID', 'the worker’s deployment version cannot be used', {
      evidence,
      next: 'Set both variables, or neither for a worker without versions.',
    });
  }
  return { deploymentName: given.name, buildId: given.build };
}
