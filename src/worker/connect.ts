import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { LeaderfallError, problem } from '../experiment/errors.ts';
import { withoutSecrets } from '../experiment/held-secrets.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';

/** How long a starting worker waits for what it needs, ms: servers of the same rollout come up together. */
const patienceMs = 60_000;

const pauseMs = 2_000;

/** gRPC statuses that waiting does not mend: bad argument, denied, not implemented, unauthenticated. */
const hopeless = new Set([3, 7, 12, 16]);

/** Temporal's own settings: profile file, then TEMPORAL_* variables, else localhost:7233 and namespace `default`. */
export interface TemporalTarget {
  options: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
  address: string;
  namespace: string;
}

/** Reads them. Throws CONFIGURATION_INVALID. */
export function temporalTarget(): TemporalTarget {
  try {
    const { connectionOptions: options, namespace = 'default' } = loadClientConnectConfig();
    return { options, address: options.address ?? 'localhost:7233', namespace };
  } catch (cause) {
    throw problem('CONFIGURATION_INVALID', 'the Temporal connection settings cannot be read', {
      evidence: [textOf(cause)],
      next: 'Correct the TEMPORAL_* variables or the profile file that TEMPORAL_CONFIG_FILE names.',
      cause,
    });
  }
}

/** Connects and makes sure of the namespace, waiting a bounded time. Throws TEMPORAL_UNREACHABLE or CONFIGURATION_INVALID. */
export async function connectNative(
  { options, address, namespace }: TemporalTarget,
  log: Logger,
): Promise<NativeConnection> {
  const connection = await patiently(
    log,
    `Temporal at ${address}`,
    () => NativeConnection.connect(options),
    (cause) =>
      problem('TEMPORAL_UNREACHABLE', `no Temporal server answers at ${address}`, {
        evidence: [textOf(cause)],
        next: 'Start it or set TEMPORAL_ADDRESS; where it uses TLS, TEMPORAL_TLS=true or TEMPORAL_API_KEY.',
        retryable: true,
        cause,
      }),
  );
  await patiently(
    log,
    `Temporal namespace ${namespace}`,
    () => connection.workflowService.describeNamespace({ namespace }),
    (cause) =>
      problem('CONFIGURATION_INVALID', `Temporal namespace ${namespace} cannot be used`, {
        evidence: [textOf(cause)],
        next: `Set TEMPORAL_NAMESPACE, or make it: temporal operator namespace create --namespace ${namespace}`,
        cause,
      }),
  );
  return connection;
}

/** Version of the cluster's API server, waiting a bounded time for it. Throws KUBERNETES_UNREACHABLE or KUBERNETES_REFUSED. */
export async function clusterVersion(kubernetes: KubernetesPort, log: Logger): Promise<string> {
  const { gitVersion } = await patiently(
    log,
    'the Kubernetes API',
    () => kubernetes.version(),
    (cause) =>
      cause instanceof LeaderfallError
        ? cause
        : problem('KUBERNETES_UNREACHABLE', 'the Kubernetes API does not answer', {
            evidence: [textOf(cause)],
            next: 'Set KUBECONFIG or --context, or run the worker in the cluster.',
            cause,
          }),
  );
  return gitVersion;
}

async function patiently<T>(
  log: Logger,
  what: string,
  attempt: () => Promise<T>,
  giveUp: (cause: unknown) => Error,
): Promise<T> {
  const until = Date.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() + pauseMs > until || isHopeless(error)) throw giveUp(error);
      log.warn({ cause: withoutSecrets(textOf(error)) }, `waiting for ${what}`);
      await delay(pauseMs);
    }
  }
}

function isHopeless(error: unknown): boolean {
  if (error instanceof LeaderfallError) return !error.problem.retryable;
  return isGrpcServiceError(error) && hopeless.has(error.code);
}

function textOf(error: unknown): string {
  if (isGrpcServiceError(error)) return error.details || error.message;
  if (error instanceof LeaderfallError) return [error.message, ...(error.problem.evidence ?? [])].join(': ');
  if (error instanceof Error) return error.cause ? `${error.message}: ${textOf(error.cause)}` : error.message;
  return String(error);
}
