import { z } from 'zod';

const epochMs = z.number().describe('Epoch milliseconds.');
const milliseconds = z.number().min(0);
const count = z.int().min(0);

/** What the clients and the brokers' metadata showed of the stream: the part of a result that `stream-figures.ts` describes. */
export const streamFigures = {
  producerOutages: z
    .array(
      z.object({
        partition: count,
        at: epochMs,
        ms: milliseconds,
        open: z.boolean().optional(),
        errors: z.record(z.string(), count),
        failedSends: count,
        retries: count,
        backoffMs: milliseconds,
        rebuilds: count,
        leaderKnownAt: epochMs.optional(),
        clientRecoveryMs: milliseconds.optional(),
        servedMs: milliseconds.optional(),
        stuckMs: milliseconds.optional(),
      }),
    )
    .optional(),
  metadata: z
    .object({
      leaderlessMs: milliseconds,
      leaderlessCount: count,
      leaderChanges: count,
      controllerChanges: count,
      underReplicatedSeconds: z.number().min(0),
      shrinkCount: count.optional(),
      longestShrunkMs: milliseconds.optional(),
      openShrinks: count.optional(),
      shrinks: z.array(z.object({ partition: count, at: epochMs, fullAt: epochMs.optional(), least: count })),
    })
    .optional(),
  group: z
    .object({
      rebalances: count,
      rebalanceMs: milliseconds,
      longestRebalanceMs: milliseconds,
      coordinatorMoves: count,
    })
    .optional(),
  directReader: z
    .object({
      read: count,
      leftOut: count.optional(),
      longestSilenceMs: milliseconds,
      longestSilenceAt: epochMs.optional(),
      leaderChanges: count,
      longestSwitchMs: milliseconds,
      longestStuckMs: milliseconds,
      stuckEvidence: z.array(z.string()),
    })
    .optional(),
} as const;
