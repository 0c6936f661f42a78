import type { Activities } from '../../activities/contract.ts';
import type { Problem } from '../../experiment/errors.ts';

/** Name of an activity of the run. */
export type ActivityName = keyof Activities;

/** How a run ended, in Temporal's words. */
export type CloseStatus =
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'terminated'
  | 'timed-out'
  | 'continued-as-new';

/** What the command reads out of one event of a run's history: decoded, plain, and no more than is shown. `at`: epoch ms. */
export type RunEvent =
  | { kind: 'started'; at: number; input: unknown; taskQueue: string }
  | { kind: 'scheduled'; at: number; activity: string; input: unknown }
  | { kind: 'completed'; at: number; activity: string; result: unknown }
  | { kind: 'failed'; at: number; activity: string; problem: Problem }
  | { kind: 'canceled'; at: number; activity: string }
  | { kind: 'timer'; at: number; summary?: string; ms: number }
  | { kind: 'cancel-requested'; at: number; identity?: string }
  | { kind: 'task-failed'; at: number; message: string }
  | {
      kind: 'closed';
      at: number;
      status: CloseStatus;
      problem?: Problem;
      reason?: string;
      nextRunId?: string;
    };
