import type { ClientOptions } from '../kafka/kafkajs.ts';
import type { Settings } from './environment.ts';

/** What a client is given that does one part of a container's work, such as `consumer`; brokers know it by its name and the run. */
export function clientOptions({ bootstrap, runId, dial }: Settings, part: string): ClientOptions {
  return { bootstrap, clientId: `leaderfall-${part}-${runId}`, ...(dial ? { dial } : {}) };
}
