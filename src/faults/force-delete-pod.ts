import type { Fault } from './fault.ts';
import { podDeletion } from './pod-deletion.ts';

/**
 * Deletes the broker's pod by force. The API server forgets the pod at once, but the node still sends SIGTERM and waits some two
 * seconds before SIGKILL: a hurried shutdown, not a crash.
 */
export const forceDeletePod: Fault = {
  ...podDeletion,
  kind: 'force-delete',
  does: 'deletes the pod with no grace: its record goes at once, its process gets SIGTERM and some 2 s; not a crash',
  grace: () => 0,
};
