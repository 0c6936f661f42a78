/** Who a run is, as Temporal knows it. Written on everything the run makes. */
export interface RunIdentity {
  /** Temporal namespace. */
  temporalNamespace: string;
  /** Id of that namespace, a UUID: servers have namesakes. Absent where the worker could not learn it, and in runs of earlier versions. */
  temporalNamespaceId?: string;
  workflowId: string;
  /** Temporal run id; its last eight characters name objects. */
  runId: string;
}

/** Prefix of our own labels and annotations. */
export const prefix = 'leaderfall.io';

/** Label: full run id. On every object that a run makes. */
export const runLabel = `${prefix}/run-id`;

/** Annotation: `<temporal namespace>/<workflow id>/<run id>`. */
export const ownerAnnotation = `${prefix}/owner`;

/** Annotation beside the owner: id of its Temporal namespace. Every server may have one called `default`. */
export const namespaceIdAnnotation = `${prefix}/temporal-namespace-id`;

/** Annotation: RFC 3339 time after which anything may remove the object. */
export const expiresAnnotation = `${prefix}/expires`;

/** Annotation on a claim: the kill whose request is about to be sent, or was. */
export const killAnnotation = `${prefix}/kill`;

/** Annotation on a claim: JSON of what the run was asked to do, by which the janitor finds what it made. */
export const requestAnnotation = `${prefix}/request`;

/** Annotation on what a run installed and is to keep: whatever removes what the run made takes its marks off instead. */
export const keepAnnotation = `${prefix}/keep`;

/** Annotation on a StatefulSet: the former value of the chaos annotation as JSON (`null` where there was none). */
export const formerAnnotation = `${prefix}/former-chaos-annotation`;

/** Litmus' opt-in annotation. */
export const chaosAnnotation = 'litmuschaos.io/chaos';

/** Value of `app.kubernetes.io/managed-by`. */
export const managedBy = 'leaderfall';

/**
 * Eight characters that make names of one run unique. The last ones: Temporal's run ids are UUIDs of version 7, whose first eight
 * are a clock that is the same for all runs of a minute.
 */
export function shortRunId(run: RunIdentity): string {
  return run.runId.slice(-8);
}

/**
 * Name of the topic that the stream of a run goes through, and beginning of its consumer groups' names. Neither can be labelled, so
 * the name says whose it is and until when (`expires` in epoch ms, shown in whole seconds of UTC).
 */
export function topicName(run: Pick<RunIdentity, 'runId'>, expires: number): string {
  const until = new Date(Math.ceil(expires / 1_000) * 1_000).toISOString();
  return `leaderfall-${run.runId}-${until.replaceAll(/[-:]|\.000/g, '')}`;
}

const streamName = /^(leaderfall-(.+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z)(-\d+)?$/;

/** Whose a topic or a consumer group is, by its name: run id, expiry in epoch ms, and the topic. Undefined where it is no run's. */
export function streamOf(name: string): { runId: string; expires: number; topic: string } | undefined {
  const [, topic, runId, ...digits] = streamName.exec(name) ?? [];
  if (!topic || !runId) return undefined;
  const [year = 0, month = 0, ...rest] = digits.slice(0, 6).map(Number);
  return { runId, expires: Date.UTC(year, month - 1, ...rest), topic };
}

/** Name of the Lease that claims a cluster. */
export function leaseName(statefulSet: string): string {
  return `leaderfall-${statefulSet}`;
}

/** Name of the StatefulSet that a Lease claims, by the Lease's own. */
export function claimedStatefulSet(lease: string): string {
  return lease.replace(/^leaderfall-/, '');
}

/** `<temporal namespace>/<workflow id>/<run id>` */
export function ownerOf(run: RunIdentity): string {
  return `${run.temporalNamespace}/${run.workflowId}/${run.runId}`;
}

/** The run that an owner names, read from both ends, since a workflow id may hold slashes; undefined where it is no owner of ours. */
export function runOfOwner(owner: string): RunIdentity | undefined {
  const [temporalNamespace, ...rest] = owner.split('/');
  const runId = rest.pop();
  const workflowId = rest.join('/');
  return temporalNamespace && workflowId && runId ? { temporalNamespace, workflowId, runId } : undefined;
}

/** Something a run made, by what is written on it. */
export interface Belonging {
  runId: string;
  /** `<temporal namespace>/<workflow id>/<run id>`, where it is written on it. */
  owner?: string;
  /** Id of the owner's Temporal namespace, where it is written on it. */
  temporalNamespaceId?: string;
  /** Epoch ms; absent where nothing tells. */
  expires?: number;
}

/** Whether a run still needs what it made, and how that is known. Only what an ended run made may be removed. */
export interface Standing {
  state: 'live' | 'ended' | 'unknown';
  why: string;
}

/** Whose an object is, by its labels and annotations; undefined where it bears no run's mark. */
export function belongingOf({
  labels,
  annotations,
}: {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}): Belonging | undefined {
  const owner = annotations?.[ownerAnnotation];
  const runId = labels?.[runLabel] ?? owner?.split('/').at(-1);
  if (!runId) return undefined;
  const temporalNamespaceId = annotations?.[namespaceIdAnnotation];
  const expires = Date.parse(annotations?.[expiresAnnotation] ?? '');
  return {
    runId,
    ...(owner ? { owner } : {}),
    ...(temporalNamespaceId ? { temporalNamespaceId } : {}),
    ...(Number.isNaN(expires) ? {} : { expires }),
  };
}

/** Labels of everything a run makes. */
export function runLabels(run: RunIdentity): Record<string, string> {
  return { 'app.kubernetes.io/managed-by': managedBy, [runLabel]: run.runId };
}

/** Annotations of everything a run makes; `expires` in epoch milliseconds. */
export function runAnnotations(run: RunIdentity, expires: number): Record<string, string> {
  const { temporalNamespaceId: id } = run;
  return {
    [ownerAnnotation]: ownerOf(run),
    ...(id ? { [namespaceIdAnnotation]: id } : {}),
    [expiresAnnotation]: new Date(expires).toISOString(),
  };
}
