import { z } from 'zod';
import { abortOnIds } from './abort-on-ids.ts';
import { anomalyKinds } from './anomalies.ts';
import { actionKinds } from './billed-actions.ts';
import { errorCodes } from './errors.ts';
import { deaths } from './kill-record.ts';
import { type ChaosResult, observedSettings, steps } from './result.ts';
import { seriesColumns } from './series.ts';
import { sloIds, sloUnits } from './slo.ts';
import { experimentSchema } from './spec.ts';
import { streamFigures } from './stream-figures-schema.ts';
import { lineOutcomes, ruleIds } from './verdict-line.ts';

const rfc3339 = z.iso.datetime().describe('RFC 3339, UTC.');
const epochMs = z.number().describe('Epoch milliseconds.');
const milliseconds = z.number().min(0);
const count = z.int().min(0);
const strings = z.array(z.string());
const step = z.enum(steps);
const verdict = z.enum(['Pass', 'Fail', 'Inconclusive', 'Error', 'Stopped', 'Skipped']);
const provisioner = z.enum(['existing', 'kudo']);

/** An experiment as it was run: the defaults of schema and worker filled. */
const resolvedExperimentSchema = experimentSchema.extend({
  cluster: experimentSchema.shape.cluster.unwrap().required({ namespace: true }),
  liveness: experimentSchema.shape.liveness.unwrap().required({ image: true, minInsyncReplicas: true }),
  schedule: experimentSchema.shape.schedule.unwrap().required({ minKills: true }),
  annotationCheck: z.boolean(),
});

const problemSchema = z.object({
  code: z.enum(errorCodes),
  step: z.string().optional(),
  message: z.string(),
  evidence: strings.optional(),
  next: z.string().optional(),
  retryable: z.boolean(),
});

const kafkaSchema = z.object({
  provisioner,
  statefulSet: z.object({
    namespace: z.string(),
    name: z.string(),
    uid: z.string(),
    replicas: count,
    service: z.string().optional(),
    firstOrdinal: count.optional(),
  }),
  brokerIds: z.array(z.int()),
  images: z.partialRecord(z.enum(['broker', 'kudo']), z.string()).optional(),
  gracePeriodSeconds: z.number(),
  settings: z.partialRecord(z.enum(observedSettings), z.string()),
  made: z.array(
    z.object({
      apiVersion: z.string(),
      kind: z.string(),
      name: z.string(),
      namespace: z.string().optional(),
    }),
  ),
  packages: z.array(
    z.object({
      name: z.string(),
      operatorVersion: z.string(),
      appVersion: z.string().optional(),
      digest: z.string().describe('sha256, hex.'),
      rewrites: strings,
    }),
  ),
  reach: z.enum(['direct', 'port-forward']),
  notes: strings,
});

const planSchema = z.object({
  index: count,
  deadline: epochMs,
  notAfter: epochMs,
  broker: z.int(),
  pod: z.string(),
  namespace: z.string(),
  podUid: z.string(),
  resourceVersion: z.string(),
  node: z.string().optional(),
  container: z.object({ name: z.string(), id: z.string(), restarts: count }).optional(),
  leader: z.int(),
  leaderEpoch: z.int().describe('-1 where not observed.'),
  isr: z.array(z.int()),
  replicas: z.array(z.int()),
  controller: z.int(),
  guardWaitMs: milliseconds,
  guardReasons: strings,
});

const actSchema = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.enum(['deleted', 'killed']),
    requestedAt: epochMs,
    answeredAt: epochMs,
    apiTime: z.string().optional(),
    gracePeriodSeconds: z.number(),
    repeated: z.boolean(),
    endedAfterMs: milliseconds
      .optional()
      .describe('From SIGKILL to the process’ death, as seen on its node.'),
    doubt: z.string().optional(),
  }),
  z.object({ outcome: z.literal('moved'), reason: z.string(), at: epochMs }),
  z.object({ outcome: z.literal('skipped'), reason: z.string(), at: epochMs }),
]);

const proofSchema = z.object({
  proven: z.boolean(),
  evidence: strings,
  death: z.enum(deaths).optional(),
  expectedOutage: z.object({ ms: milliseconds.optional(), because: strings }).optional(),
  outageMs: milliseconds
    .optional()
    .describe('Longest outage of partition 0 by the observer’s probes; 0: none.'),
  podGoneAt: epochMs.optional(),
  processGoneAt: epochMs.optional(),
  exitCode: z.int().optional(),
  exitReason: z.string().optional(),
  newLeader: z.int().optional(),
  newLeaderAt: epochMs.optional(),
  newLeaderEpoch: z.int().optional(),
  timeToNewLeaderMs: z.number().optional().describe('From the request, ms.'),
  timeToFullIsrMs: z.number().optional().describe('From the request, ms.'),
  replacementUid: z.string().optional(),
  replacementRestarts: count.optional(),
  foreign: z.string().optional(),
});

const killSchema = z.object({
  index: count,
  deadline: rfc3339,
  status: z.enum(['proven', 'unproven', 'skipped']),
  reason: z.string().optional(),
  plan: planSchema.optional(),
  act: actSchema.optional(),
  proof: proofSchema.optional(),
  latenessMs: milliseconds.optional(),
  retargets: count,
});

const latencySchema = z
  .object({ p50: z.number(), p99: z.number(), max: z.number(), count })
  .describe('Milliseconds.');

const containerEndSchema = z.object({
  state: z.enum(['running', 'terminated', 'missing']),
  exitCode: z.int().optional(),
  reason: z.string().optional(),
});

const anomalyExampleSchema = z.object({
  partition: count.optional(),
  producer: count.optional(),
  sequence: count.optional().describe('Number of the record within its producer and partition, from 0.'),
  offset: count.optional(),
  detail: z.string().optional(),
});

const anomalySchema = z.object({
  kind: z.enum(anomalyKinds),
  count,
  first: anomalyExampleSchema,
  last: anomalyExampleSchema,
});

const deliverySchema = z.object({
  acks: z.union([z.literal(0), z.literal(1), z.literal('all')]),
  idempotent: z.boolean(),
  retries: z.boolean(),
  maxInFlight: count,
  uncleanElection: z.boolean().optional(),
});

const partitionOutagesSchema = z
  .object({
    partitions: count.optional().describe('How many were probed; absent: partition 0 alone.'),
    count: count.describe('Of all partitions.'),
    totalMs: milliseconds.describe('Of the partition with most.'),
    longestMs: milliseconds,
    stepMs: milliseconds.describe('Time from one probe to the next.'),
    floorMs: milliseconds.describe('A shorter silence does not count.'),
    longest: z.array(
      z.object({
        partition: count.optional().describe('Absent: partition 0.'),
        at: epochMs,
        ms: milliseconds,
        how: z.enum(['silence', 'refusal', 'cut']),
        open: z.boolean().optional(),
      }),
    ),
  })
  .describe(
    'Times in which a partition’s leader served nobody, by the observer’s probes; added delay is none.',
  );

const streamSchema = z.object({
  acked: count,
  received: count,
  lost: count,
  lostExamples: z.array(count),
  duplicated: count,
  outOfOrder: count,
  unknown: count,
  longestSilenceMs: milliseconds,
  longestSilenceAt: rfc3339.optional(),
  longestAckGapMs: milliseconds,
  sendToAck: latencySchema.optional(),
  sendToReceive: latencySchema.optional(),
  partitionOutages: partitionOutagesSchema.optional(),
  producerOutage: z
    .object({ count, maxMs: milliseconds, totalMs: milliseconds, worst: count.optional() })
    .optional(),
  ...streamFigures,
  faultWindows: z
    .object({
      count,
      totalMs: milliseconds,
      inside: latencySchema.optional(),
      outside: latencySchema.optional(),
      unsent: count.optional(),
      throughputDipPercent: z.number().min(0).max(100).optional(),
    })
    .optional(),
  anomalies: z.array(anomalySchema).optional(),
  delivery: deliverySchema.optional(),
  drained: z.boolean(),
  producer: containerEndSchema,
  consumer: containerEndSchema,
  observer: containerEndSchema,
  silence: z
    .object({
      at: rfc3339,
      silentMs: milliseconds,
      confirmed: z.enum(['outage', 'stuck-client', 'not-observed']),
      evidence: strings,
    })
    .optional(),
  notes: strings,
});

const seriesSchema = z.object({
  from: epochMs,
  stepMs: count,
  columns: z.partialRecord(z.enum(seriesColumns), z.array(z.number().nullable())),
});

const changesSchema = z.object({
  from: epochMs,
  to: epochMs,
  packed: z
    .string()
    .describe(
      '`<ms since the one before><l: leader, i: ISR, g: process gone, b: back><brokers> …`, from the beginning on; leader of none: no broker.',
    ),
});

const lineSchema = z.object({
  id: z.enum([...ruleIds, ...sloIds]),
  gate: z.boolean(),
  what: z.string(),
  required: z.string(),
  observed: z.string(),
  outcome: z.enum(lineOutcomes),
  leadsTo: verdict.optional(),
  because: strings,
  limit: z.number().optional(),
  value: z.number().optional(),
  unit: z.enum(sloUnits).optional(),
  origin: z.enum(['spec', 'default']).optional(),
});

/** The result of a run, for programs that read it. Readers skip fields that they do not know. */
export const resultSchema = z
  .object({
    schema: z.literal('leaderfall.io/result/v1'),
    run: z.object({
      temporalNamespace: z.string(),
      temporalNamespaceId: z.string().optional(),
      workflowId: z.string(),
      runId: z.string(),
    }),
    name: z.string(),
    verdict,
    reasons: strings.min(1),
    failStep: step.optional(),
    lines: z.array(lineSchema).optional(),
    specHash: z.string().optional(),
    problem: problemSchema.optional(),
    startedAt: rfc3339,
    endedAt: rfc3339,
    experiment: resolvedExperimentSchema.optional(),
    kafka: kafkaSchema.optional(),
    plannedKills: count,
    kills: z.array(killSchema),
    killsElsewhere: z.object({ proven: count, unproven: count, skipped: count }).optional(),
    injectingStopped: z
      .object({
        at: epochMs,
        reason: z.string(),
        broken: z
          .object({ id: z.enum(abortOnIds), value: z.number(), limit: z.number(), observedAt: epochMs })
          .optional(),
      })
      .optional()
      .describe('A line of abortOn was broken: no further kill was made.'),
    stream: streamSchema.optional(),
    leftovers: z.array(
      z.object({
        kind: z.string(),
        name: z.string(),
        namespace: z.string().optional(),
        reason: z.string(),
      }),
    ),
    timeline: z.array(z.object({ at: rfc3339, step, text: z.string() })),
    versions: z.record(z.string(), z.string()),
    series: seriesSchema.optional(),
    parts: z
      .array(z.object({ series: seriesSchema.optional(), changes: changesSchema.optional() }))
      .describe('Stretches of the stream: finer than `series` in long runs.')
      .optional(),
    actions: z
      .partialRecord(z.enum(actionKinds), count)
      .describe('Temporal Actions by the run’s histories; heartbeats and queries leave no event there.')
      .optional(),
  })
  .describe('Result of a Leaderfall run');

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

/** With no field optional, for one that may be absent may be unknown as well. */
type Whole<T> = T extends readonly (infer U)[]
  ? Whole<U>[]
  : T extends object
    ? { [K in keyof T]-?: Whole<T[K]> }
    : T;

/** Does not compile when the schema and the type of a result part ways. */
true satisfies Same<z.output<typeof resultSchema>, ChaosResult>;
true satisfies Same<Whole<z.output<typeof resultSchema>>, Whole<ChaosResult>>;
