import { z } from 'zod';

const limit = z.int().min(0);

/** Optional fields: what was written is told from a default, because only what was written must also be observable. */
export const sloSchema = z
  .strictObject({
    lost: limit.optional().describe('Acknowledged records never read. Default 0.'),
    duplicates: limit
      .optional()
      .describe('Records read more than once, permitted by settings or not. Default 0.'),
    reorders: limit.optional().describe('Records read after a later one of their partition. Default 0.'),
    producerOutageMs: z
      .strictObject({
        max: limit
          .optional()
          .describe('Longest time without an ack. Default 3 × liveness.consumerTimeoutMs.'),
        total: limit
          .optional()
          .describe('All outages of a partition together. Default: max, once for each planned kill.'),
      })
      .prefault({}),
    consumerSilenceMs: limit
      .optional()
      .describe('Longest time without a record at the consumer. Default 3 × liveness.consumerTimeoutMs.'),
    p99LatencyMs: z
      .strictObject({
        insideFault: limit
          .optional()
          .describe(
            'Send to receive, of records due from a kill to the full ISR; one that could not be sent counts with its wait. Default 3 × liveness.consumerTimeoutMs.',
          ),
        outsideFault: limit
          .optional()
          .describe('Send to receive, of all other records. Default liveness.consumerTimeoutMs.'),
      })
      .prefault({}),
    timeToNewLeaderMs: limit
      .optional()
      .describe('From the request of a kill. Default schedule.recoveryTimeoutSeconds.'),
    timeToFullIsrMs: limit
      .optional()
      .describe('From the request of a kill. Default schedule.recoveryTimeoutSeconds.'),
    throughputDipPercent: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe('Acks lost by the worst second of a fault against the usual second. Default 100.'),
    regression: z
      .strictObject({
        fail: z
          .boolean()
          .default(false)
          .describe('true: a figure worse than in the last passed run of this spec fails the run.'),
        tolerancePercent: z
          .number()
          .min(0)
          .default(50)
          .describe('A time within this of the last passed run is no regression.'),
      })
      .prefault({}),
  })
  .describe(
    'What the run must keep to. Strict on data, lenient on time; what is written here must also be observable.',
  );

/** What a run must keep to, as it was written. */
export type Slo = z.output<typeof sloSchema>;
