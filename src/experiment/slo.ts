import { z } from 'zod';
import { plannedKills } from './schedule.ts';
import type { ResolvedExperiment } from './spec.ts';

/** Units of SLO figures. */
export const sloUnits = ['records', 'ms', '%'] as const;

/** Unit of an SLO figure. */
export type SloUnit = (typeof sloUnits)[number];

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
        total: limit.optional().describe('All outages together. Default: max, once for each planned kill.'),
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
            'Send to receive, of records due from a kill to the full ISR. Default 3 × liveness.consumerTimeoutMs.',
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

interface SloDefinition {
  field: string;
  what: string;
  unit: SloUnit;
  written(slo: Partial<Slo>): number | undefined;
  byDefault(experiment: ResolvedExperiment): number;
}

const patienceMs = ({ liveness }: ResolvedExperiment) => 3 * liveness.consumerTimeoutMs;
const recoveryMs = ({ schedule }: ResolvedExperiment) => schedule.recoveryTimeoutSeconds * 1_000;

const definitions = {
  lost: {
    field: 'slo.lost',
    what: 'acknowledged records lost',
    unit: 'records',
    written: (slo) => slo.lost,
    byDefault: () => 0,
  },
  duplicates: {
    field: 'slo.duplicates',
    what: 'records read more than once',
    unit: 'records',
    written: (slo) => slo.duplicates,
    byDefault: () => 0,
  },
  reorders: {
    field: 'slo.reorders',
    what: 'records out of order',
    unit: 'records',
    written: (slo) => slo.reorders,
    byDefault: () => 0,
  },
  'producer-outage-max': {
    field: 'slo.producerOutageMs.max',
    what: 'longest producer outage',
    unit: 'ms',
    written: (slo) => slo.producerOutageMs?.max,
    byDefault: patienceMs,
  },
  'producer-outage-total': {
    field: 'slo.producerOutageMs.total',
    what: 'producer outages together',
    unit: 'ms',
    written: (slo) => slo.producerOutageMs?.total,
    byDefault: (experiment) =>
      (experiment.slo?.producerOutageMs.max ?? patienceMs(experiment)) * plannedKills(experiment.schedule),
  },
  'consumer-silence': {
    field: 'slo.consumerSilenceMs',
    what: 'longest silence at the consumer',
    unit: 'ms',
    written: (slo) => slo.consumerSilenceMs,
    byDefault: patienceMs,
  },
  'p99-inside-fault': {
    field: 'slo.p99LatencyMs.insideFault',
    what: 'p99 send to receive inside fault windows',
    unit: 'ms',
    written: (slo) => slo.p99LatencyMs?.insideFault,
    byDefault: patienceMs,
  },
  'p99-outside-fault': {
    field: 'slo.p99LatencyMs.outsideFault',
    what: 'p99 send to receive outside fault windows',
    unit: 'ms',
    written: (slo) => slo.p99LatencyMs?.outsideFault,
    byDefault: ({ liveness }) => liveness.consumerTimeoutMs,
  },
  'time-to-new-leader': {
    field: 'slo.timeToNewLeaderMs',
    what: 'longest time to a new leader',
    unit: 'ms',
    written: (slo) => slo.timeToNewLeaderMs,
    byDefault: recoveryMs,
  },
  'time-to-full-isr': {
    field: 'slo.timeToFullIsrMs',
    what: 'longest time to the full ISR',
    unit: 'ms',
    written: (slo) => slo.timeToFullIsrMs,
    byDefault: recoveryMs,
  },
  'throughput-dip': {
    field: 'slo.throughputDipPercent',
    what: 'throughput dip, worst second',
    unit: '%',
    written: (slo) => slo.throughputDipPercent,
    byDefault: () => 100,
  },
} as const satisfies Record<string, SloDefinition>;

/** One figure that an SLO limits; closed list, for programs. */
export type SloId = keyof typeof definitions;

/** All figures, data first. */
export const sloIds = Object.keys(definitions) as SloId[];

/** A limit that is in force. */
export interface SloLimit {
  id: SloId;
  /** Field of the experiment that sets it. */
  field: string;
  what: string;
  unit: SloUnit;
  limit: number;
  origin: 'spec' | 'default';
}

/** Every limit of an experiment, the defaults filled: each has one. */
export function sloLimits(experiment: ResolvedExperiment): SloLimit[] {
  // Runs that began with an earlier version have no slo.
  const slo: Partial<Slo> = experiment.slo ?? {};
  return sloIds.map((id) => {
    const { field, what, unit, written, byDefault }: SloDefinition = definitions[id];
    const given = written(slo);
    return {
      id,
      field,
      what,
      unit,
      limit: given ?? byDefault(experiment),
      origin: given === undefined ? 'default' : 'spec',
    };
  });
}
