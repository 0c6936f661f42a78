/** The closed list of error codes. A code is stable; its message may change. */
export const errorCodes = [
  'INPUT_INVALID', // the experiment itself is wrong; evidence names the field
  'NAMESPACE_NOT_FOUND',
  'TARGET_NOT_FOUND', // no such StatefulSet, service or broker
  'TARGET_AMBIGUOUS', // several match
  'TARGET_NOT_ANNOTATED', // opt-in missing
  'FAULT_NOT_ALLOWED', // a fault that the experiment and the worker's settings must both allow
  'TARGET_PROTECTED', // the worker's settings keep every run away from it
  'OUTSIDE_KILL_TIMES', // the worker's settings allow no kill at this time
  'PERMISSION_MISSING', // evidence lists every missing verb
  'CLUSTER_CLAIMED', // another run holds the cluster, or this one does no more
  'LOCKED', // somebody has locked the Temporal namespace: no run may begin
  'CLOCK_SKEWED', // the worker's clock is not the cluster's
  'CLUSTER_UNHEALTHY', // brokers missing or partitions not in sync before a scheduled run
  'REPLICATION_IMPOSSIBLE', // replication factor greater than the number of brokers
  'PACKAGE_INVALID', // a KUDO package that cannot be read or is broken
  'PARAMETER_UNKNOWN', // a KUDO parameter that the package does not declare
  'VOLUMES_REMAIN', // volume claims of a former KUDO Instance, which a new one would take over
  'PLAN_FATAL', // a KUDO plan ended in FATAL_ERROR
  'POD_WAITING', // a pod of a plan, or the liveness pod, cannot start
  'LIVENESS_REFUSED', // another live run's pod, quota or admission
  'LIVENESS_FAILED', // the liveness program broke
  'STREAM_NOT_STEADY',
  'CLIENT_STUCK', // the cluster serves, our client does not use it
  'KAFKA_UNREACHABLE',
  'CREDENTIALS_MISSING', // a Secret, or a key in it, that cluster.tls or cluster.sasl names
  'AUTHENTICATION_FAILED', // the brokers refuse the SASL mechanism, user or password
  'TLS_FAILED', // a certificate that is not trusted or does not fit, or no TLS at all
  'BROKER_UNMAPPED', // a broker that cannot be tied to a pod
  'KUBERNETES_UNREACHABLE',
  'KUBERNETES_REFUSED', // an API answer that no retry mends
  'CONFIGURATION_INVALID', // the worker's or the command's own settings
  'TEMPORAL_UNREACHABLE',
  'REQUEST_REFUSED', // a live run cannot do now what was asked of it
  'HOOK_FAILED', // a hook or a notification of a promotion does not get through
  'TIMED_OUT',
  'INTERNAL', // a defect of Leaderfall itself
] as const;

/** One of the closed list of error codes. */
export type ErrorCode = (typeof errorCodes)[number];

/** An error as plain data: what crosses rooms, Temporal and JSON. */
export interface Problem {
  /** Closed list, for programs. */
  code: ErrorCode;
  /** Step of the run in which it arose: resolve, provision, … */
  step?: string;
  /** One sentence for a person. */
  message: string;
  /** Facts it rests on: field names, object names, status messages. */
  evidence?: string[];
  /** What to do next, one sentence. */
  next?: string;
  /** Whether the same call can succeed later without anyone changing anything. */
  retryable: boolean;
}

/** The one error class of the project. */
export class LeaderfallError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: { cause?: unknown }) {
    super(problem.message, options);
    this.name = 'LeaderfallError';
    this.problem = problem;
  }
}

/** Makes a {@link LeaderfallError}; not retryable unless said. */
export function problem(
  code: ErrorCode,
  message: string,
  details: { step?: string; evidence?: string[]; next?: string; retryable?: boolean; cause?: unknown } = {},
): LeaderfallError {
  const { cause, retryable = false, ...rest } = details;
  return new LeaderfallError(
    { code, message, retryable, ...rest },
    cause === undefined ? undefined : { cause },
  );
}

/** The problem in any thrown value; what is not ours becomes INTERNAL, retryable, with its message as evidence. */
export function problemOf(error: unknown, step?: string): Problem {
  if (error instanceof LeaderfallError) return step ? { step, ...error.problem } : error.problem;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: 'INTERNAL', message, retryable: true, ...(step ? { step } : {}) };
}
