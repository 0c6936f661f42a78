import {
  type CredentialSource,
  credentialSources,
  type Security,
  securityOf,
} from '../experiment/connection-security.ts';
import { problem } from '../experiment/errors.ts';
import { holdSecret } from '../experiment/held-secrets.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KubernetesObject, KubernetesPort, Permission } from '../kubernetes/port.ts';

interface Secret extends KubernetesObject {
  data?: Record<string, string>;
}

/** The right to read just the Secrets that the experiment names. */
export function credentialPermissions({ cluster }: ResolvedExperiment): Permission[] {
  return secretsOf(credentialSources(cluster)).map((name) => ({
    verb: 'get',
    group: '',
    resource: 'secrets',
    namespace: cluster.namespace,
    name,
  }));
}

/**
 * What the Secrets hold that the experiment names; undefined where connections are plain. For this process's memory alone: no step
 * gives it away, and its secrets are shown by no text from now on. Throws CREDENTIALS_MISSING with the field.
 */
export async function readSecurity(
  kubernetes: KubernetesPort,
  { cluster }: ResolvedExperiment,
): Promise<Security | undefined> {
  const sources = credentialSources(cluster);
  const held = new Map(
    await Promise.all(
      secretsOf(sources).map(
        async (name) => [name, await readSecret(kubernetes, cluster.namespace, name)] as const,
      ),
    ),
  );
  const security = securityOf(cluster, ({ secret, key, secretField }) => {
    const found = held.get(secret);
    if (!found) throw notThere(cluster.namespace, secret, secretField);
    const value = found.data?.[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
  });
  holdSecret(security?.tls?.key);
  holdSecret(security?.sasl?.password);
  return security;
}

function secretsOf(sources: CredentialSource[]): string[] {
  return [...new Set(sources.map(({ secret }) => secret))];
}

async function readSecret(kubernetes: KubernetesPort, namespace: string, name: string) {
  return await kubernetes.read<Secret>({ apiVersion: 'v1', kind: 'Secret', namespace, name });
}

function notThere(namespace: string, name: string, field: string) {
  return problem('CREDENTIALS_MISSING', `there is no Secret ${namespace}/${name}`, {
    evidence: [field],
    next: `Make it in namespace ${namespace}, where the kafka-liveness pod mounts it, or correct the name.`,
  });
}
