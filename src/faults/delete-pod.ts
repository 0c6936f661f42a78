import type { Fault } from './fault.ts';
import { podDeletion } from './pod-deletion.ts';

/** Deletes the broker's pod with the grace asked for: SIGTERM, then SIGKILL when the grace is over. */
export const deletePod: Fault = {
  ...podDeletion,
  kind: 'delete',
  does: 'deletes the pod: SIGTERM to the broker, SIGKILL when its grace is over',
  grace: ({ fault }, podSeconds) => fault.graceSeconds ?? podSeconds,
};
