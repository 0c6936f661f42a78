import type { Experiment, ResolvedExperiment } from './spec.ts';

/**
 * What an experiment does as canonical JSON (keys sorted, nothing undefined): two runs with the same text can be compared. What it
 * is called, how it is judged, how its image is pulled and how the worker reaches the brokers are left out.
 */
export function specText(experiment: ResolvedExperiment): string {
  const { name: _name, slo: _slo, abortOn: _abortOn, reach: _reach, liveness, ...does } = experiment;
  const { image: _image, imagePullPolicy: _policy, imagePullSecrets: _secrets, ...stream } = liveness;
  return canonicalJson({ ...does, liveness: stream });
}

/**
 * What an experiment does, wherever it is run: what stages of a promotion are compared by. Besides what {@link specText} leaves out:
 * whose Kafka it is, how that comes to be, whether it has opted in, and on which nodes the stream runs.
 */
export function chaosText(experiment: Experiment): string {
  const { name: _name, slo: _slo, abortOn: _abortOn, reach: _reach, ...named } = experiment;
  const { environment: _environment, liveness, ...does } = named;
  const { cluster: _cluster, provision: _provision, annotationCheck: _check, ...chaos } = does;
  const { image: _image, imagePullPolicy: _policy, imagePullSecrets: _secrets, ...placed } = liveness;
  const { nodeSelector: _nodes, tolerations: _tolerations, ...stream } = placed;
  return canonicalJson({ ...chaos, liveness: stream });
}

/** JSON with sorted keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
