import { problem } from '../../experiment/errors.ts';
import type { PackageRecord } from '../../experiment/made.ts';
import { eventReader, shortStatefulSets, startingPods } from '../../kubernetes/last-events.ts';
import type { KubernetesObject, KubernetesPort } from '../../kubernetes/port.ts';
import { pause } from '../../kubernetes/wait.ts';
import { isReady, type Pod, waitingReasons } from '../../kubernetes/workloads.ts';
import type { ProvisionContext, Provisioning } from '../provisioner.ts';
import { claimsOf, isGoing, refuseFormerClaims } from './claims.ts';
import { ended, lookAtInstance, usedAsItIs } from './instance.ts';
import type { KudoPackage } from './package.ts';
import { deployStatus, fatalMessages, type Instance, planTree } from './plan.ts';
import { removeInstance } from './remove.ts';
import {
  digestAnnotation,
  instanceObject,
  type Marks,
  operatorObject,
  operatorVersionName,
  operatorVersionObject,
  rewriteFor,
} from './resources.ts';

const apiVersion = 'kudo.dev/v1beta1';

/** One package to be installed as one Instance. */
export interface Installation {
  pack: KudoPackage;
  instance: string;
  parameters: Record<string, string>;
}

/** What came of it. */
export interface Installed {
  record: PackageRecord;
  notes: string[];
}

/**
 * Installs a package and waits for its plan `deploy`. A healthy Instance of that name is used as it is and never removed;
 * what an ended run of Leaderfall left half-done is removed first. May be called again at any point. Throws TIMED_OUT, with where it
 * stands and what its pods wait for, after the deadline.
 */
export async function install(context: Provisioning, wanted: Installation, marks: Marks): Promise<Installed> {
  const { kubernetes } = context;
  const { pack, instance } = wanted;
  const { minor } = await kubernetes.version();
  const { templates, rewrites } = rewriteFor(minor, pack);
  const record: PackageRecord = {
    name: pack.operator.name,
    operatorVersion: pack.operator.operatorVersion,
    ...(pack.operator.appVersion ? { appVersion: pack.operator.appVersion } : {}),
    digest: pack.digest,
    rewrites,
  };
  const found = await lookAtInstance(context, instance);
  if (found.state === 'healthy') return { record, notes: [usedAsItIs(instance)] };
  if (found.state === 'theirs') {
    await ended(context, instance, found.of);
    await removeInstance(context, instance);
  }
  if (found.state !== 'own') {
    await oldPodsGone(context, instance);
    await refuseFormerClaims(context, instance);
    await createObjects(context, wanted, templates, marks);
  }
  await deployComplete(context, instance);
  return { record, notes: [] };
}

async function createObjects(
  context: ProvisionContext,
  wanted: Installation,
  templates: Record<string, string>,
  marks: Marks,
): Promise<void> {
  const { kubernetes } = context;
  const { namespace } = context.experiment.cluster;
  const { pack, instance, parameters } = wanted;
  await create(context, operatorObject(pack, namespace, marks));
  const operatorVersion = await versionName(kubernetes, pack, templates, namespace);
  await create(context, operatorVersionObject(pack, templates, { name: operatorVersion, namespace, marks }));
  await create(
    context,
    instanceObject(pack, { name: instance, namespace, operatorVersion, parameters, marks }),
  );
}

/** The usual name; with the digest behind it where that name already holds something else. */
async function versionName(
  kubernetes: KubernetesPort,
  pack: KudoPackage,
  templates: Record<string, string>,
  namespace: string,
): Promise<string> {
  const name = operatorVersionName(pack);
  const found = await kubernetes.read({ apiVersion, kind: 'OperatorVersion', name, namespace });
  if (!found || found.metadata?.annotations?.[digestAnnotation] === pack.digest) return name;
  const spec = found.spec as { templates?: Record<string, string> } | undefined;
  if (JSON.stringify(spec?.templates) === JSON.stringify(templates)) return name;
  return `${name}-${pack.digest.slice(0, 8)}`;
}

/** The webhook of a manager that has just become ready may refuse the first calls. */
async function create(context: ProvisionContext, object: KubernetesObject): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await context.kubernetes.create(object);
      return;
    } catch (error) {
      const message = (error as Error).message;
      if (!message.includes('failed calling webhook') || Date.now() > deadline) throw error;
      context.progress(['waiting for the KUDO webhook']);
      await pause(500, context.signal);
    }
  }
}

/**
 * Pods of a former Instance keep the StatefulSet controller in a doubling back-off: 72 s were seen after they had gone. A volume
 * claim on its way out would keep a new pod waiting.
 */
async function oldPodsGone(context: Provisioning, instance: string): Promise<void> {
  for (;;) {
    const pods = await podsOf(context, instance);
    const claims = (await claimsOf(context, instance)).filter(isGoing);
    const names = [...pods, ...claims].map(({ metadata }) => metadata?.name ?? '');
    if (names.length === 0) return;
    context.progress([`waiting for what is old of ${instance} to go: ${names.join(', ')}`]);
    if (Date.now() > context.deadline)
      throw outOfTime(context, `what is old of ${instance} did not go`, names);
    await pause(500, context.signal);
  }
}

async function podsOf(context: ProvisionContext, instance: string): Promise<Pod[]> {
  const { namespace } = context.experiment.cluster;
  const kind = { apiVersion: 'v1', kind: 'Pod', namespace };
  return (await context.kubernetes.list<Pod>(kind, { label: `kudo.dev/instance=${instance}` })).items;
}

/** What pods say themselves; else what Events say of pods that do not start, and of those that are not even made. */
async function whyWaiting(
  context: ProvisionContext,
  instance: string,
  lastEvents: ReturnType<typeof eventReader>,
): Promise<{ reasons: string[]; pulls: string[] }> {
  const pods = await podsOf(context, instance);
  const told = pods.flatMap(waitingReasons);
  if (told.length > 0) return { reasons: told, pulls: [] };
  // While a pod is on its way, a refusal of the next one may be an old one.
  const stuck = pods.every(isReady) ? await shortSets(context, instance) : startingPods(pods);
  const { warnings, pulls } = await lastEvents(stuck);
  return { reasons: warnings, pulls };
}

async function shortSets(context: ProvisionContext, instance: string): Promise<KubernetesObject[]> {
  const kind = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    namespace: context.experiment.cluster.namespace,
  };
  const { items } = await context.kubernetes.list(kind, { label: `kudo.dev/instance=${instance}` });
  return shortStatefulSets(items);
}

/** One bound for all: the step's own end, soon after, would say nothing of why. */
function outOfTime({ experiment }: Provisioning, what: string, evidence: string[], why?: string) {
  const bound = `within the ${experiment.provision.timeoutSeconds} s of the whole provisioning`;
  return problem('TIMED_OUT', `${what} ${bound}${why === undefined ? '' : `: ${why}`}`, {
    evidence,
    next: 'Raise provision.timeoutSeconds, or see why it is slow.',
  });
}

async function deployComplete(context: Provisioning, instance: string): Promise<void> {
  const { namespace } = context.experiment.cluster;
  const { podWaitSeconds } = context.experiment.provision;
  const waitingSince = new Map<string, number>();
  const lastEvents = eventReader(context.kubernetes, namespace);
  for (;;) {
    const found = await context.kubernetes.read<Instance>({
      apiVersion,
      kind: 'Instance',
      name: instance,
      namespace,
    });
    const plan = found && deployStatus(found);
    if (plan?.status === 'COMPLETE') {
      context.progress(planTree(instance, plan));
      return;
    }
    if (plan?.status === 'FATAL_ERROR') {
      throw problem(
        'PLAN_FATAL',
        fatalMessages(plan)[0] ?? `plan deploy of ${instance} ended in FATAL_ERROR`,
        {
          evidence: [...fatalMessages(plan), ...planTree(instance, plan)],
          next: 'The package or its parameters do not fit this cluster; correct them and run again.',
        },
      );
    }
    const tree = plan ? planTree(instance, plan) : [`${instance}: plan deploy not scheduled yet`];
    const { reasons, pulls } = await whyWaiting(context, instance, lastEvents);
    context.progress([...tree, ...reasons, ...pulls]);
    const stuck = longest(waitingSince, reasons);
    if (stuck && stuck.ms > podWaitSeconds * 1_000) {
      throw problem('POD_WAITING', `plan deploy of ${instance} waits for a pod: ${stuck.reason}`, {
        evidence: [...reasons, ...tree],
        next: `kubectl -n ${namespace} describe pods -l kudo.dev/instance=${instance}`,
      });
    }
    if (Date.now() > context.deadline) {
      const what = `plan deploy of ${instance} did not end`;
      throw outOfTime(context, what, [...tree, ...reasons, ...pulls], reasons[0] ?? pulls[0]);
    }
    await pause(500, context.signal);
  }
}

/** Remembers since when each pod has been waiting (its reason's text may change, its first word does not), and gives the longest. */
function longest(since: Map<string, number>, reasons: string[]): { reason: string; ms: number } | undefined {
  const now = Date.now();
  const keys = new Map(reasons.map((reason) => [reason.split(':')[0] ?? reason, reason]));
  for (const key of since.keys()) if (!keys.has(key)) since.delete(key);
  for (const key of keys.keys()) if (!since.has(key)) since.set(key, now);
  const [first] = [...since].sort((a, b) => a[1] - b[1]);
  return first ? { reason: keys.get(first[0]) ?? first[0], ms: now - first[1] } : undefined;
}
