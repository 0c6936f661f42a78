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
 * What steps need, for commands that only look: this person's rights and kubeconfig, and the settings of a worker started here.
 * No claim is ever judged by it.
 */
export function clusterAccess(options: ClusterOptions): ActivityDependencies {
  const silent = () => undefined;
  return {
    kubernetes: connectKubernetes(options),
    connectKafka,
    defaults: readConfig(process.env).defaults,
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
