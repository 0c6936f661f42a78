import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { holdsNoLogin, loginRefused } from '../experiment/connection-security.ts';
import { problem } from '../experiment/errors.ts';
import type { WorkerPolicy } from '../experiment/policy.ts';
import type { WorkerDefaults } from '../experiment/resolve.ts';
import { dnsLabel } from '../experiment/spec.ts';
import { openTimesIssues, openTimesSchema } from '../experiment/window.ts';
import { privilegedKinds } from '../faults/all-faults.ts';
import { version } from './version.ts';

/** Settings of a worker that are its own; Temporal and Kubernetes are found by their own conventions. */
export interface WorkerConfig {
  taskQueue: string;
  /** For how many runs there are slots, and room in memory; one more waits at its steps, but for its kills. */
  runsAtOnce: number;
  defaults: WorkerDefaults;
  policy: WorkerPolicy;
  /** What promotions are given: where secrets are, and where Temporal's Web UI is. */
  promotion: { secretsFolder?: string; webUi?: string };
  /** host:port of the Prometheus endpoint; none where undefined. */
  metricsAddress?: string;
  /** Where /healthz and /readyz are served; nowhere where undefined. */
  health?: { host: string; port: number };
  log: { level: LogLevel; format: 'json' | 'pretty' };
}

/** Levels of the worker's log. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

const text = z.string().trim().min(1, 'must not be empty').optional();

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'must be host:port, such as 0.0.0.0:9464')
  .refine((value) => portOf(value) <= 65_535, 'has no such port')
  .optional();

/** Where a package is; runs keep it in their history. */
const kudoPackage = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .refine(holdsNoLogin, loginRefused)
  .optional();

/** JSON in a variable; `what` says what it must be, with an example. */
function json(what: string) {
  return z.string().transform((value, context) => {
    try {
      return JSON.parse(value) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: `must be ${what}` });
      return z.NEVER;
    }
  });
}

const parameters = json('a JSON object of strings, such as {"MEM":"2048"}')
  .pipe(z.record(z.string(), z.string()))
  .optional();

const openTimes = json(
  'a JSON object, such as {"timeZone":"Europe/Berlin","open":[{"from":"09:00","to":"17:00"}]}',
)
  .pipe(
    openTimesSchema.superRefine((times, context) => {
      for (const message of openTimesIssues(times)) context.addIssue({ code: 'custom', message });
    }),
  )
  .optional();

/** Patterns of what is never touched, with commas between them. */
const targetList = z
  .string()
  .transform((value) => value.split(',').map((pattern) => pattern.trim()))
  .pipe(
    z.array(
      z
        .string()
        .regex(
          /^[a-z0-9*-]+(\/[a-z0-9.*-]+)?$/,
          'must be a list of <namespace> or <namespace>/<StatefulSet>, * for any characters',
        ),
    ),
  )
  .optional();

/** Kinds of privileged faults with commas between them. */
const faultList = z
  .string()
  .transform((value) => value.split(',').map((kind) => kind.trim()))
  .pipe(z.array(z.enum(privilegedKinds, `must be a list of: ${privilegedKinds.join(', ')}`)))
  .optional();

/** Every LEADERFALL_* variable that the worker knows. */
const environmentSchema = z.object({
  LEADERFALL_TASK_QUEUE: text.default('leaderfall'),
  LEADERFALL_RUNS_AT_ONCE: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(1_000, 'must be at most 1000')
    .default(100),
  LEADERFALL_LIVENESS_IMAGE: text,
  LEADERFALL_KUDO_ZOOKEEPER_PACKAGE: kudoPackage,
  LEADERFALL_KUDO_KAFKA_PACKAGE: kudoPackage,
  LEADERFALL_KUDO_REPOSITORY: z.url('must be a URL').refine(holdsNoLogin, loginRefused).optional(),
  LEADERFALL_KUDO_MANAGER_IMAGE: text,
  LEADERFALL_KUDO_ZOOKEEPER_PARAMETERS: parameters,
  LEADERFALL_KUDO_KAFKA_PARAMETERS: parameters,
  LEADERFALL_ENVIRONMENT: dnsLabel.optional(),
  LEADERFALL_ALLOW_FAULTS: faultList,
  LEADERFALL_PROTECTED: targetList,
  LEADERFALL_KILL_TIMES: openTimes,
  LEADERFALL_MAX_KILLS_PER_HOUR: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .optional(),
  LEADERFALL_TARGET_NAMESPACE: dnsLabel.optional(),
  LEADERFALL_TARGET_LABEL: text,
  LEADERFALL_TARGET_STATEFULSET: dnsLabel.optional(),
  LEADERFALL_TARGET_SERVICE: dnsLabel.optional(),
  LEADERFALL_TARGET_PORT: z.coerce
    .number('must be a port')
    .int('must be a port')
    .min(1, 'must be a port')
    .max(65_535, 'must be a port')
    .optional(),
  LEADERFALL_SECRETS_FOLDER: text,
  LEADERFALL_WEB_UI: z.url('must be a URL').optional(),
  LEADERFALL_METRICS_ADDRESS: address,
  LEADERFALL_HEALTH_ADDRESS: address,
  LEADERFALL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  LEADERFALL_LOG_FORMAT: z.enum(['json', 'pretty']).optional(),
});

/** Names of all variables, for documentation and for the nearest known one. */
export const variableNames: readonly string[] = Object.keys(environmentSchema.shape);

/** Where a worker is to listen, by variable; those that can be read, whatever else is wrong with its settings. */
export function listenAddresses(
  env: Record<string, string | undefined>,
): Record<string, { host: string; port: number }> {
  const names = ['LEADERFALL_HEALTH_ADDRESS', 'LEADERFALL_METRICS_ADDRESS'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const given = address.safeParse(env[name] || undefined).data;
      return given ? [[name, { host: hostOf(given), port: portOf(given) }]] : [];
    }),
  );
}

/** Reads the worker's settings. Throws CONFIGURATION_INVALID that lists everything that is wrong, at once. */
export function readConfig(
  env: Record<string, string | undefined>,
  terminal = process.stdout.isTTY === true,
): WorkerConfig {
  const own = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith('LEADERFALL_') && value),
  );
  const parsed = environmentSchema.safeParse(own);
  const evidence = [
    ...Object.keys(own)
      .filter((name) => !variableNames.includes(name))
      .map(unknown),
    ...(parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []),
    ...targetWithoutNamespace(own),
  ];
  if (!parsed.success || evidence.length > 0) {
    throw problem('CONFIGURATION_INVALID', `${evidence.length} of the worker's settings cannot be used`, {
      evidence,
      next: 'Correct these environment variables and start the worker again.',
    });
  }
  return configOf(parsed.data, terminal);
}

function configOf(env: z.output<typeof environmentSchema>, terminal: boolean): WorkerConfig {
  const health = env.LEADERFALL_HEALTH_ADDRESS;
  return {
    taskQueue: env.LEADERFALL_TASK_QUEUE,
    runsAtOnce: env.LEADERFALL_RUNS_AT_ONCE,
    defaults: {
      ...(env.LEADERFALL_ENVIRONMENT ? { environment: env.LEADERFALL_ENVIRONMENT } : {}),
      image: env.LEADERFALL_LIVENESS_IMAGE ?? `docker.io/leaderfall/leaderfall:${version}`,
      ...(env.LEADERFALL_ALLOW_FAULTS ? { allowedFaults: env.LEADERFALL_ALLOW_FAULTS } : {}),
      ...(env.LEADERFALL_TARGET_NAMESPACE
        ? {
            // What is not set must be absent: an undefined field would overrule the experiment's own default.
            target: present({
              namespace: env.LEADERFALL_TARGET_NAMESPACE,
              label: env.LEADERFALL_TARGET_LABEL,
              statefulSet: env.LEADERFALL_TARGET_STATEFULSET,
              service: env.LEADERFALL_TARGET_SERVICE,
              port: env.LEADERFALL_TARGET_PORT,
            }),
          }
        : {}),
      kudo: present({
        zookeeperPackage: env.LEADERFALL_KUDO_ZOOKEEPER_PACKAGE,
        kafkaPackage: env.LEADERFALL_KUDO_KAFKA_PACKAGE,
        repository: env.LEADERFALL_KUDO_REPOSITORY,
        managerImage: env.LEADERFALL_KUDO_MANAGER_IMAGE,
        zookeeperParameters: env.LEADERFALL_KUDO_ZOOKEEPER_PARAMETERS,
        kafkaParameters: env.LEADERFALL_KUDO_KAFKA_PARAMETERS,
      }),
    },
    policy: present({
      protectedTargets: env.LEADERFALL_PROTECTED,
      killTimes: env.LEADERFALL_KILL_TIMES,
      maxKillsPerHour: env.LEADERFALL_MAX_KILLS_PER_HOUR,
    }),
    promotion: present({
      secretsFolder: env.LEADERFALL_SECRETS_FOLDER,
      webUi: env.LEADERFALL_WEB_UI,
    }),
    ...(env.LEADERFALL_METRICS_ADDRESS ? { metricsAddress: env.LEADERFALL_METRICS_ADDRESS } : {}),
    ...(health ? { health: { host: hostOf(health), port: portOf(health) } } : {}),
    log: {
      level: env.LEADERFALL_LOG_LEVEL,
      format: env.LEADERFALL_LOG_FORMAT ?? (terminal ? 'pretty' : 'json'),
    },
  };
}

function present<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** A target without a namespace would silently be none. */
function targetWithoutNamespace(own: Record<string, string | undefined>): string[] {
  const given = Object.keys(own).filter((name) => name.startsWith('LEADERFALL_TARGET_'));
  if (given.length === 0 || given.includes('LEADERFALL_TARGET_NAMESPACE')) return [];
  return [`LEADERFALL_TARGET_NAMESPACE: missing, though ${given.join(', ')} is set`];
}

function unknown(name: string): string {
  // The prefix that all have in common would make everything look alike.
  const word = (full: string) => full.slice('LEADERFALL_'.length);
  const nearest = closest(word(name), variableNames.map(word));
  const near = distance(word(name), nearest) <= Math.max(2, nearest.length / 3);
  return `${name}: no such setting${near ? `; did you mean LEADERFALL_${nearest}?` : ''}`;
}

function hostOf(hostPort: string): string {
  return hostPort.slice(0, hostPort.lastIndexOf(':')).replaceAll(/[[\]]/g, '');
}

function portOf(hostPort: string): number {
  return Number(hostPort.slice(hostPort.lastIndexOf(':') + 1));
}
