import { Client, Connection, isGrpcServiceError, ServiceError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { problem } from '../experiment/errors.ts';

/** A connected client and what it is connected to. */
export interface TemporalAccess {
  client: Client;
  connection: Connection;
  address: string;
  namespace: string;
}

/**
 * Connects as every Temporal client does: profile file, then TEMPORAL_* variables, else localhost:7233 and namespace `default`.
 * Throws CONFIGURATION_INVALID or TEMPORAL_UNREACHABLE. The caller closes the connection.
 */
export async function connectTemporal(): Promise<TemporalAccess> {
  const { connectionOptions, namespace } = temporalSettings();
  const address = connectionOptions.address ?? 'localhost:7233';
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '5s' });
    return { client: new Client({ connection, namespace }), connection, address, namespace };
  } catch (error) {
    throw unreachable(address, error);
  }
}

/** Connection options and namespace by Temporal's own conventions; CONFIGURATION_INVALID where they contradict themselves. */
export function temporalSettings(): {
  connectionOptions: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
  namespace: string;
} {
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig();
    return { connectionOptions, namespace: namespace ?? 'default' };
  } catch (error) {
    throw problem('CONFIGURATION_INVALID', 'the Temporal connection settings cannot be read', {
      evidence: [messageOf(error)],
      next: 'Correct the TEMPORAL_* variables or the profile file that TEMPORAL_CONFIG_FILE names.',
      cause: error,
    });
  }
}

/** TEMPORAL_UNREACHABLE, with what to do. */
export function unreachable(address: string, cause: unknown) {
  return problem('TEMPORAL_UNREACHABLE', `no Temporal server answers at ${address}`, {
    evidence: [messageOf(cause)],
    next: 'Start one (temporal server start-dev) or set TEMPORAL_ADDRESS; where it uses TLS, TEMPORAL_TLS=true or TEMPORAL_API_KEY.',
    retryable: true,
    cause,
  });
}

/** What a person can do about an answer of Temporal, by gRPC status. */
const advice: Partial<Record<number, string>> = {
  5: 'Set TEMPORAL_NAMESPACE to a namespace that exists there.',
  7: 'Use credentials that may do this: TEMPORAL_API_KEY, or a client certificate.',
  16: 'Use credentials that Temporal knows: TEMPORAL_API_KEY, or a client certificate.',
};

/** An error of the Temporal client as our own; every other error as it is. */
export function temporalProblem(
  error: unknown,
  { address, namespace }: { address: string; namespace: string },
): unknown {
  if (error instanceof NamespaceNotFoundError) {
    return problem('CONFIGURATION_INVALID', `Temporal at ${address} has no namespace ${namespace}`, {
      next: `Set TEMPORAL_NAMESPACE, or make it: temporal operator namespace create --namespace ${namespace}`,
      cause: error,
    });
  }
  const status = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(status) && !(error instanceof ServiceError)) return error;
  const code = isGrpcServiceError(status) ? status.code : undefined;
  const next = code === undefined ? undefined : advice[code];
  return problem('TEMPORAL_UNREACHABLE', `Temporal at ${address} did not do what was asked`, {
    evidence: [messageOf(error), `namespace ${namespace}`],
    next: next ?? 'See whether the server is healthy: temporal operator cluster health',
    retryable: next === undefined,
    cause: error,
  });
}

/** The innermost message: a client's errors wrap the one that says why. */
export function messageOf(error: unknown): string {
  if (isGrpcServiceError(error)) return error.details || error.message;
  if (error instanceof Error) return error.cause ? messageOf(error.cause) : error.message;
  return String(error);
}
