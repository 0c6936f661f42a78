import { dropKafkas } from '../activities/brokers.ts';
import type { ActivityDependencies } from '../activities/dependencies.ts';
import { connectKafka } from '../kafka/connect-kafka.ts';
import { connectKubernetes } from '../kubernetes/connect-kubernetes.ts';
import { readConfig } from '../worker/config.ts';

/** Which cluster a command speaks to. */
export interface ClusterOptions {
  context?: string;
  kubeconfig?: string;
}

/**
 * Lends what steps need to a command that only looks: this person's rights and kubeconfig, and the settings of a worker started
 * here. No claim is ever judged by it. Connections are closed afterwards.
 */
export async function withCluster<T>(
  options: ClusterOptions,
  use: (deps: ActivityDependencies) => Promise<T>,
): Promise<T> {
  const deps = clusterAccess(options);
  try {
    return await use(deps);
  } finally {
    await dropKafkas(deps);
  }
}

function clusterAccess(options: ClusterOptions): ActivityDependencies {
  const silent = () => undefined;
  const { defaults, policy } = readConfig(process.env);
  return {
    kubernetes: connectKubernetes(options),
    connectKafka,
    defaults,
    policy,
    takeKill: async () => ({ granted: true }),
    temporalNamespaceId: async () => undefined,
    runState: async () => 'running',
    ownerOfRun: async () => undefined,
    readLock: async () => undefined,
    cancelRun: async () => {},
    showProgress: async () => {},
    pauseSchedule: async () => {},
    registeredSearchAttributes: async () => [],
    lastPassed: async () => undefined,
    versions: {},
    log: { info: silent, warn: silent },
  };
}
