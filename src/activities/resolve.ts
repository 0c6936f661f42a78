import { problem } from '../experiment/errors.ts';
import { ownerOf, type RunIdentity } from '../experiment/identity.ts';
import { lockText } from '../experiment/lock.ts';
import { parseExperiment } from '../experiment/parse.ts';
import { checkPolicy } from '../experiment/policy.ts';
import { resolveExperiment } from '../experiment/resolve.ts';
import { cleanUpSeconds, reserveSeconds } from '../experiment/schedule.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import { checkAllowed, faultOf } from '../faults/all-faults.ts';
import { type OwnClaim, releaseClaim, takeClaim } from '../kubernetes/lease.ts';
import type { KubernetesPort, Permission } from '../kubernetes/port.ts';
import { chooseProvisioner } from '../provisioners/choose.ts';
import type { Provisioner } from '../provisioners/provisioner.ts';
import { findBaseline, specHashOf } from './baseline.ts';
import {
  brokersOf,
  checkBrokers,
  checkHealth,
  checkPod,
  checkReplication,
  isWaitedFor,
} from './check-kafka.ts';
import { checkClock } from './clock.ts';
import type { Activities, Resolved } from './contract.ts';
import { readSecurity } from './credentials.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { checkOptIn } from './opt-in.ts';
import { nodesPermission, runPermissions } from './permissions.ts';
import { standingBy } from './standing.ts';
import { markedRun, runStep } from './step.ts';

/** What can be said about an experiment without touching anything; `plan` shows just this. */
export interface Examined {
  experiment: ResolvedExperiment;
  provisioner: Provisioner;
  statefulSetName: string;
  /** A healthy Kafka stands there already. */
  isThere: boolean;
  /** Instances that the run will make. */
  makes: string[];
  permissions: Permission[];
  /** Whether the worker may read nodes, which it can do without. */
  seesNodes: boolean;
  notes: string[];
}

/** Validates, fills defaults, checks rights, takes the claim. The claim is the last and only effect. */
export function makeResolve(deps: ActivityDependencies): Activities['resolve'] {
  return (input, origin) =>
    runStep(
      'resolve',
      async ({ signal }): Promise<Resolved> => {
        await refuseWhileLocked(deps);
        const run = await markedRun(deps);
        const expiresAfterMs = (experiment: ResolvedExperiment) => boundSeconds(experiment) * 1_000;
        const examined = await examine(deps, input, run, signal);
        const { experiment, provisioner, statefulSetName, notes, seesNodes } = examined;
        const expires = Date.now() + expiresAfterMs(experiment);
        if (examined.isThere) await checkThere(deps, examined, origin?.scheduledBy !== undefined, signal);
        const searchAttributes = await deps.registeredSearchAttributes();
        const specHash = specHashOf(experiment);
        const baseline = await findBaseline(deps, specHash, searchAttributes);
        const claim = {
          kubernetes: deps.kubernetes,
          run,
          namespace: experiment.cluster.namespace,
          statefulSet: statefulSetName,
        };
        await takeClaim({
          ...claim,
          durationSeconds: boundSeconds(experiment),
          expires,
          request: { experiment, provisioner: provisioner.name },
          isClosed: async (holder, namespaceId) => (await deps.runState(holder, namespaceId)) === 'over',
        });
        await giveBackIfOver(deps, claim);
        return {
          run,
          experiment,
          provisioner: provisioner.name,
          statefulSetName,
          expires,
          seesNodes,
          leadMs: faultOf(experiment).leadMs,
          notes,
          versions: deps.versions,
          searchAttributes,
          specHash,
          ...(baseline ? { baseline } : {}),
        };
      },
      // A run that may not begin is to be found by its verdict as well.
      deps.registeredSearchAttributes,
    );
}

/**
 * A worker that stood still while it claimed may have claimed for a run that has ended meanwhile, and nobody would give that up.
 * Throws CLUSTER_CLAIMED where it has.
 */
async function giveBackIfOver(deps: ActivityDependencies, claim: OwnClaim): Promise<void> {
  if ((await deps.runState(ownerOf(claim.run))) !== 'over') return;
  await releaseClaim(claim);
  throw problem('CLUSTER_CLAIMED', 'the run was over before it had its claim, which is given up again', {
    evidence: [ownerOf(claim.run)],
    next: 'Nothing is left of it: start another one.',
  });
}

/** What makes a run on a Kafka that is there impossible, by whichever way it is provisioned; a schedule does not wait for one that is away. */
async function checkThere(
  deps: ActivityDependencies,
  { experiment, provisioner, statefulSetName }: Examined,
  scheduled: boolean,
  signal: AbortSignal,
): Promise<void> {
  try {
    await brokersOf(deps, experiment, statefulSetName, async ({ kafka }, statefulSet) => {
      // A broker that is on its way back makes no replication impossible: provision waits for it.
      checkReplication(experiment, statefulSet.replicas);
      if (scheduled) await checkHealth(kafka, statefulSet.replicas);
      await checkBrokers(deps.kubernetes, experiment, kafka, statefulSet, signal);
    });
  } catch (error) {
    if (scheduled || !isWaitedFor(provisioner.name, error)) throw error;
  }
}

/** Before anything is asked of the cluster. Throws LOCKED. */
async function refuseWhileLocked({ readLock }: Pick<ActivityDependencies, 'readLock'>): Promise<void> {
  const lock = await readLock();
  if (!lock) return;
  throw problem('LOCKED', `no run may begin: ${lockText(lock)}`, {
    next: `Ask ${lock.actor}; when it is over: leaderfall unlock`,
  });
}

/** Everything `resolve` finds out before it takes the claim. Throws LeaderfallError; touches nothing. */
export async function examine(
  deps: ActivityDependencies,
  input: unknown,
  run: RunIdentity,
  signal: AbortSignal,
): Promise<Examined> {
  const parsed = parseExperiment(input);
  const experiment = resolveExperiment(parsed.experiment, deps.defaults);
  const fault = faultOf(experiment);
  checkAllowed(experiment, deps.defaults.allowedFaults ?? []);
  refuseCertainOutage(experiment);
  const { namespace } = experiment.cluster;
  checkPolicy(deps.policy, experiment.cluster, Date.now());
  const always = [...runPermissions(experiment), ...fault.permissions(namespace)];
  const choose = () => chooseProvisioner({ kubernetes: deps.kubernetes, experiment });
  const ownRights = async ({ provisioner }: Awaited<ReturnType<typeof choose>>) =>
    await provisioner.permissions({ kubernetes: deps.kubernetes, experiment });
  await checkClock(deps.kubernetes);
  await checkRights(deps.kubernetes, always, async () => await ownRights(await choose()));
  await checkNamespace(deps.kubernetes, namespace);
  await readSecurity(deps.kubernetes, experiment);
  await fault.check?.({ kubernetes: deps.kubernetes, experiment });
  const chosen = await choose();
  const { provisioner } = chosen;
  const own = await ownRights(chosen);
  await checkRights(deps.kubernetes, own);
  if (provisioner.name === 'existing') await checkOptIn(deps, experiment, chosen.statefulSet?.name);
  const expires = Date.now() + boundSeconds(experiment) * 1_000;
  const seesNodes = (await missingOf(deps.kubernetes, [nodesPermission])).length === 0;
  const checked = await provisioner.check({
    ...{ kubernetes: deps.kubernetes, experiment, run, expires, signal },
    standing: standingBy(deps),
  });
  const { statefulSetName, isThere, makes } = checked;
  checkPod(experiment, checked);
  // A Kafka that KUDO is asked for may be there already, and somebody's.
  if (checked.needsOptIn && provisioner.name !== 'existing')
    await checkOptIn(deps, experiment, statefulSetName);
  checkPolicy(deps.policy, { namespace, statefulSet: statefulSetName }, Date.now());
  return {
    experiment,
    provisioner,
    statefulSetName,
    isThere,
    makes,
    permissions: [...always, ...own],
    seesNodes,
    notes: [
      ...parsed.notes,
      `fault ${fault.kind}: ${fault.does}`,
      ...(seesNodes ? [] : ['cordoned nodes are not seen: the worker may not get nodes']),
      ...checked.notes,
    ],
  };
}

/** An upper bound on the length of a run, after which what it made may be removed by anything. */
export function boundSeconds(experiment: ResolvedExperiment): number {
  const { provision, liveness, schedule } = experiment;
  return (
    provision.timeoutSeconds +
    liveness.readySeconds +
    schedule.durationSeconds +
    schedule.intervalSeconds +
    schedule.recoveryTimeoutSeconds +
    reserveSeconds +
    cleanUpSeconds
  );
}

/** A stream that every kill is bound to stop proves nothing unless a person wants to see it fail. */
function refuseCertainOutage(experiment: ResolvedExperiment): void {
  const { replicationFactor, minInsyncReplicas } = experiment.liveness;
  const { allow } = experiment.guard;
  const evidence: string[] = [];
  // With one replica min.insync.replicas is 1 as well: one condition, to be named once.
  if (replicationFactor === 1) {
    if (!allow.includes('single-replica')) {
      evidence.push(
        'liveness.replicationFactor: 1 leaves no replica to take over (guard.allow: single-replica)',
      );
    }
  } else if (minInsyncReplicas >= replicationFactor && !allow.includes('min-isr-equals-rf')) {
    evidence.push(
      `liveness.minInsyncReplicas: ${minInsyncReplicas} of ${replicationFactor} replicas stops every acks=all producer while one is away (guard.allow: min-isr-equals-rf)`,
    );
  }
  if (evidence.length === 0) return;
  throw problem('INPUT_INVALID', 'this stream cannot survive any kill, whatever the cluster does', {
    evidence,
    next: 'Change the replication, or name the condition in guard.allow to see it fail.',
  });
}

/** Throws PERMISSION_MISSING with every right that the worker lacks; of `further` ones, where some are lacking and it can be told. */
export async function checkRights(
  kubernetes: KubernetesPort,
  permissions: Permission[],
  further: () => Promise<Permission[]> = async () => [],
): Promise<void> {
  const lacking = await missingOf(kubernetes, permissions);
  if (lacking.length === 0) return;
  const wanted = unique([...permissions, ...(await further().catch(() => []))]);
  const missing = await missingOf(kubernetes, wanted);
  throw problem('PERMISSION_MISSING', `the worker lacks ${missing.length} of ${wanted.length} rights`, {
    evidence: missing.map(describePermission),
    next: 'Bind the roles in deploy/ to the worker’s service account, or run it with another kubeconfig.',
  });
}

async function missingOf(kubernetes: KubernetesPort, permissions: Permission[]): Promise<Permission[]> {
  return await kubernetes.missingPermissions(unique(permissions));
}

/** A fault may need a right that every run needs: asked for and named once. */
export function unique(permissions: Permission[]): Permission[] {
  return [...new Map(permissions.map((one) => [describePermission(one), one])).values()];
}

/** `create pods/proxy in namespace kafka` */
export function describePermission(permission: Permission): string {
  const { verb, group, resource, subresource, namespace, name } = permission;
  const what = `${resource}${subresource ? `/${subresource}` : ''}${group ? `.${group}` : ''}${name ? ` ${name}` : ''}`;
  return `${verb} ${what}${namespace ? ` in namespace ${namespace}` : ' in the cluster'}`;
}

async function checkNamespace(kubernetes: KubernetesPort, name: string): Promise<void> {
  if (await kubernetes.read({ apiVersion: 'v1', kind: 'Namespace', name })) return;
  throw problem('NAMESPACE_NOT_FOUND', `namespace ${name} does not exist`, {
    evidence: ['cluster.namespace'],
    next: `Correct the name, or make it: kubectl create namespace ${name}`,
  });
}
