/** Port of the program in the pod that sends the SIGKILL. */
export const crashPort = 8090;

/** Its environment. */
export interface CrashEnvironment {
  /** UID of the broker's pod. */
  CRASH_POD_UID: string;
  /** Id of the broker's container, without the runtime's scheme. */
  CRASH_CONTAINER_ID: string;
  /** Epoch ms after which nothing is killed. */
  CRASH_NOT_AFTER: string;
}

/** What the program did. Its answer to POST /kill, and its termination message. */
export type CrashOutcome =
  /** SIGKILL was sent. `at`: epoch ms, the node's clock. `endedAfterMs`: until that very process was seen to be dead; absent where it was not. */
  | { outcome: 'killed'; at: number; pid: number; endedAfterMs?: number }
  /** It was about to; whether it did is known only by what became of the broker. */
  | { outcome: 'killing'; at: number; pid: number }
  /** No process of that container is left: it ended before. */
  | { outcome: 'gone'; at: number }
  /** Asked for after CRASH_NOT_AFTER. */
  | { outcome: 'late'; at: number };
