import { z } from 'zod';
import { type SecurityNames, saslSchema, tlsSchema } from '../experiment/connection-security.ts';
import { streamOptions } from '../experiment/stream-options.ts';
import type { Dial } from '../kafka/port.ts';
import type { LivenessEnvironment } from './protocol.ts';

const { ratePerSecond, ...streamShape } = streamOptions;
const streamSchema = z.object(streamShape);

/** How records are made and sent, as an experiment's `liveness` says it. */
export type StreamSettings = z.output<typeof streamSchema>;

/** A stream with nothing but defaults. */
export const plainStream: StreamSettings = streamSchema.parse({});

const securitySchema = z.object({ tls: tlsSchema.optional(), sasl: saslSchema.optional() });

const schema = z.object({
  LIVENESS_ROLE: z.enum(['topic', 'producer', 'consumer', 'observer']),
  LIVENESS_BOOTSTRAP: z.string().transform((text) => text.split(',').map(bootstrapPart)),
  LIVENESS_TOPIC: z.string().min(1),
  LIVENESS_RUN_ID: z.string().min(1),
  LIVENESS_RATE: z.coerce.number().pipe(ratePerSecond.unwrap()),
  LIVENESS_STREAM: z
    .string()
    .default('{}')
    .transform((text) => JSON.parse(text) as unknown)
    .pipe(streamSchema),
  LIVENESS_SECURITY: z
    .string()
    .default('{}')
    .transform((text) => JSON.parse(text) as unknown)
    .pipe(securitySchema),
  LIVENESS_REPLICATION_FACTOR: z.coerce.number().int().positive(),
  LIVENESS_MIN_INSYNC_REPLICAS: z.coerce.number().int().positive(),
  LIVENESS_CONSUMER_TIMEOUT_MS: z.coerce.number().int().positive(),
  LIVENESS_PROBE_STEP_MS: z.coerce.number().positive().default(3),
  LIVENESS_TERMINATION_LOG: z.string().default('/dev/termination-log'),
  LIVENESS_PORT: z.coerce.number().int().optional(),
});

/** `host:port`, or `1000@host:port` where it is known whose address it is. */
function bootstrapPart(text: string): { address: string; id?: number } {
  const at = text.indexOf('@');
  return at < 0 ? { address: text } : { address: text.slice(at + 1), id: Number(text.slice(0, at)) };
}

/** A bootstrap address for the environment, with the id of its broker where that is known. */
export function bootstrapVariable(address: string, id: number | undefined): string {
  return id === undefined ? address : `${id}@${address}`;
}

/** Settings of one container, read from its environment. */
export interface Settings {
  role: LivenessEnvironment['LIVENESS_ROLE'];
  bootstrap: string[];
  /** Whose address of `bootstrap` is whose, as far as it is known: brokers may advertise others. */
  brokerIds?: Record<string, number>;
  topic: string;
  runId: string;
  /** Records a second, over all partitions. */
  rate: number;
  stream: StreamSettings;
  /** Which credentials are mounted; none where empty. */
  security?: SecurityNames;
  replicationFactor: number;
  minInsyncReplicas: number;
  consumerTimeoutMs: number;
  /** Time from one of the observer's probes to the next, ms. */
  probeStepMs: number;
  terminationLog: string;
  /** Instead of the role's own port; for several on one host. */
  port?: number;
  /** Instead of plain TCP; never from the environment. */
  dial?: Dial;
}

/** Reads the settings; throws with every wrong variable at once. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const found = schema.parse(environment);
  return {
    role: found.LIVENESS_ROLE,
    bootstrap: found.LIVENESS_BOOTSTRAP.map(({ address }) => address),
    brokerIds: Object.fromEntries(
      found.LIVENESS_BOOTSTRAP.flatMap(({ address, id }) => (id === undefined ? [] : [[address, id]])),
    ),
    topic: found.LIVENESS_TOPIC,
    runId: found.LIVENESS_RUN_ID,
    rate: found.LIVENESS_RATE,
    stream: found.LIVENESS_STREAM,
    security: found.LIVENESS_SECURITY,
    replicationFactor: found.LIVENESS_REPLICATION_FACTOR,
    minInsyncReplicas: found.LIVENESS_MIN_INSYNC_REPLICAS,
    consumerTimeoutMs: found.LIVENESS_CONSUMER_TIMEOUT_MS,
    probeStepMs: found.LIVENESS_PROBE_STEP_MS,
    terminationLog: found.LIVENESS_TERMINATION_LOG,
    ...(found.LIVENESS_PORT === undefined ? {} : { port: found.LIVENESS_PORT }),
  };
}

/** The part of an experiment's `cluster` that names credentials, for the environment. */
export function securityVariable(names: SecurityNames): string {
  return JSON.stringify(securitySchema.parse(names));
}

/** The part of an experiment's `liveness` that is the stream's, for the environment. */
export function streamVariable(liveness: StreamSettings): string {
  return JSON.stringify(streamSchema.parse(liveness));
}
