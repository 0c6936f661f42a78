import { plannedKills } from './schedule.ts';
import type { Slo } from './slo-schema.ts';
import type { ResolvedExperiment } from './spec.ts';

/** Units of SLO figures. */
export const sloUnits = ['records', 'ms', '%'] as const;

/** Unit of an SLO figure. */
export type SloUnit = (typeof sloUnits)[number];

interface SloDefinition {
  field: string;
  what: string;
  unit: SloUnit;
  written(slo: Partial<Slo>): number | undefined;
  byDefault(experiment: ResolvedExperiment, kills: number): number;
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
    byDefault: (experiment, kills) =>
      (experiment.slo?.producerOutageMs.max ?? patienceMs(experiment)) * kills,
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

/** Unit of a figure. */
export function sloUnitOf(id: SloId): SloUnit {
  return definitions[id].unit;
}

/** A figure in words: `longest producer outage`. */
export function sloNameOf(id: SloId): string {
  return definitions[id].what;
}

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

/** Every limit of an experiment, the defaults filled: each has one. `kills`: those planned, with those by which the run was extended. */
export function sloLimits(
  experiment: ResolvedExperiment,
  kills = plannedKills(experiment.schedule),
): SloLimit[] {
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
      limit: given ?? byDefault(experiment, kills),
      origin: given === undefined ? 'default' : 'spec',
    };
  });
}
