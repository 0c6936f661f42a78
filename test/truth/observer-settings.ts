import { plainStream, type Settings } from '../../src/liveness/environment.ts';

/** Settings of an observer, but for what it observes. */
export const observerSettings: Omit<Settings, 'bootstrap' | 'topic'> = {
  role: 'observer',
  runId: 'truth',
  rate: 1,
  stream: plainStream,
  replicationFactor: 1,
  minInsyncReplicas: 1,
  consumerTimeoutMs: 60_000,
  probeStepMs: 3,
  terminationLog: '/dev/null',
};
