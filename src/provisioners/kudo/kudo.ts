import { problem } from '../../experiment/errors.ts';
import { keepAnnotation, runAnnotations, runLabels } from '../../experiment/identity.ts';
import type { ResolvedExperiment } from '../../experiment/spec.ts';
import type { KubernetesPort, Permission } from '../../kubernetes/port.ts';
import { podNames, type StatefulSet, statefulSetRef } from '../../kubernetes/workloads.ts';
import type { Checked, Provision, ProvisionContext, Provisioner, Provisioning } from '../provisioner.ts';
import { ensureKudo, initPermissions, lookForKudo } from './init.ts';
import { type Installation, install } from './install.ts';
import { lookAtInstance, usedAsItIs } from './instance.ts';
import { madeObjects } from './own-objects.ts';
import { type KudoPackage, readPackage } from './package.ts';
import { keepInstalled, removeInstalled } from './remove.ts';
import { checkedParameters, parameterValue, statefulSetName } from './resources.ts';

/** Kafka and its ZooKeeper from KUDO packages; KUDO itself too, where it is missing. */
export const kudoProvisioner: Provisioner = { name: 'kudo', permissions, check, provision, remove };

async function permissions(context: {
  kubernetes: KubernetesPort;
  experiment: ResolvedExperiment;
}): Promise<Permission[]> {
  const { namespace } = context.experiment.cluster;
  const own = (group: string, resource: string, verbs: string[]): Permission[] =>
    verbs.map((verb) => ({ verb, group, resource, namespace }));
  const needed = [
    ...own('kudo.dev', 'operators', ['get', 'list', 'create', 'patch', 'delete']),
    ...own('kudo.dev', 'operatorversions', ['get', 'list', 'create', 'patch', 'delete']),
    ...own('kudo.dev', 'instances', ['get', 'list', 'create', 'patch', 'delete']),
    ...own('', 'persistentvolumeclaims', ['list', 'delete']),
    ...own('batch', 'jobs', ['list']),
  ];
  const { state } = await lookForKudo(context.kubernetes, namespace);
  return state === 'missing' ? [...needed, ...initPermissions()] : needed;
}

async function check(context: Omit<ProvisionContext, 'progress'>): Promise<Checked> {
  const { zookeeper, kafka } = await installations(context.experiment);
  const { major, minor, gitVersion } = await context.kubernetes.version();
  const notes: string[] = [];
  let isThere = false;
  let needsOptIn = false;
  const makes: string[] = [];
  for (const { pack, instance } of [zookeeper, kafka]) {
    const found = await lookAtInstance(context, instance);
    isThere = found.state === 'healthy';
    needsOptIn = found.state === 'healthy' && !found.of;
    const { name, operatorVersion, kubernetesVersion } = pack.operator;
    if (found.state !== 'healthy' && isOlder({ major, minor }, kubernetesVersion)) {
      throw problem(
        'PACKAGE_INVALID',
        `KUDO package ${name} needs Kubernetes ${kubernetesVersion} or later`,
        {
          evidence: [
            `the API server is ${gitVersion}`,
            `kubernetesVersion in operator.yaml of ${pack.source}`,
          ],
          next: 'Use a package for this version of Kubernetes.',
        },
      );
    }
    notes.push(`KUDO package ${name} ${operatorVersion} as Instance ${instance}`);
    if (isThere) notes.push(usedAsItIs(instance));
    else makes.push(instance);
  }
  const name = statefulSetName(kafka.pack, kafka.instance);
  // One that is there may have been given another number of brokers.
  const there = isThere ? await readStatefulSet(context, name) : undefined;
  const told = parameterValue(kafka.pack, kafka.parameters, 'BROKER_COUNT');
  const replicas = there ? (there.spec?.replicas ?? 1) : Number(told ?? Number.NaN);
  if (there) checkReplication(context, replicas, `replicas of StatefulSet ${name}, which is there`, larger);
  else checkReplication(context, replicas, `BROKER_COUNT of package ${kafka.pack.operator.name}`, raised);
  return {
    statefulSetName: name,
    isThere,
    needsOptIn,
    makes,
    ...(Number.isNaN(replicas) ? {} : { pods: podNames({ name, replicas }) }),
    notes,
  };
}

const larger = 'Lower the replication factor, or choose a larger Kafka.';
const raised = 'Lower the replication factor, or raise provision.kafka.parameters.BROKER_COUNT.';

/** Throws REPLICATION_IMPOSSIBLE; says by what it is so many brokers. */
function checkReplication(
  { experiment }: Pick<ProvisionContext, 'experiment'>,
  brokers: number,
  by: string,
  next: string,
): void {
  const { replicationFactor } = experiment.liveness;
  if (!(replicationFactor > brokers)) return;
  throw problem(
    'REPLICATION_IMPOSSIBLE',
    `replication factor ${replicationFactor} needs more than ${brokers} brokers`,
    { evidence: ['liveness.replicationFactor', `${by}: ${brokers}`], next },
  );
}

async function readStatefulSet(
  { kubernetes, experiment }: Pick<ProvisionContext, 'kubernetes' | 'experiment'>,
  name: string,
): Promise<StatefulSet | undefined> {
  const { namespace } = experiment.cluster;
  return await kubernetes.read<StatefulSet>({ apiVersion: 'apps/v1', kind: 'StatefulSet', name, namespace });
}

/** Whether a server is older than a package asks for; what is no version asks for nothing. */
function isOlder({ major, minor }: { major: number; minor: number }, wanted = ''): boolean {
  const [, least = 0, then = 0] = (/^v?(\d+)\.(\d+)/.exec(wanted) ?? []).map(Number);
  return major < least || (major === least && minor < then);
}

async function provision(context: Provisioning): Promise<Provision> {
  const { experiment, run, expires } = context;
  const { namespace } = experiment.cluster;
  const keep: Record<string, string> = experiment.provision.keep ? { [keepAnnotation]: 'true' } : {};
  const marks = { labels: runLabels(run), annotations: { ...runAnnotations(run, expires), ...keep } };
  const wanted = await installations(experiment);
  const { notes, managerImage } = await ensureKudo(context);
  const zookeeper = await install(context, wanted.zookeeper, marks);
  const kafka = await install(context, wanted.kafka, marks);
  const name = statefulSetName(wanted.kafka.pack, wanted.kafka.instance);
  const found = await readStatefulSet(context, name);
  if (!found?.metadata?.uid) {
    throw problem('TARGET_NOT_FOUND', `the package made no StatefulSet ${namespace}/${name}`, {
      next: 'Name the StatefulSet in cluster.statefulSet and use provision.mode: existing.',
    });
  }
  return {
    statefulSet: statefulSetRef(found, namespace),
    gracePeriodSeconds: found.spec?.template?.spec?.terminationGracePeriodSeconds ?? 30,
    made: await madeObjects(context),
    packages: [zookeeper.record, kafka.record],
    ...(managerImage ? { managerImage } : {}),
    notes: [...notes, ...zookeeper.notes, ...kafka.notes],
  };
}

async function remove(context: ProvisionContext) {
  if (!context.experiment.provision.keep) return await removeInstalled(context);
  await keepInstalled(context);
  return [];
}

/** Both packages, read and their parameters checked. */
async function installations(
  experiment: ResolvedExperiment,
): Promise<{ zookeeper: Installation; kafka: Installation }> {
  const { zookeeper, kafka, repository } = experiment.provision;
  const read = async (role: 'zookeeper' | 'kafka'): Promise<KudoPackage> => {
    const source = experiment.provision[role].package;
    if (source) return await readPackage(source, repository);
    throw problem('INPUT_INVALID', `no KUDO package for ${role} is configured`, {
      evidence: [`provision.${role}.package`],
      next: `Name it in the experiment, or in LEADERFALL_KUDO_${role.toUpperCase()}_PACKAGE on the worker.`,
    });
  };
  const zookeeperPack = await read('zookeeper');
  const kafkaPack = await read('kafka');
  const declared = kafkaPack.parameters.some(({ name }) => name === 'DELETE_TOPIC_ENABLE');
  // Without it the stream's topic could never be removed again.
  const preset: Record<string, string> = declared ? { DELETE_TOPIC_ENABLE: 'true' } : {};
  return {
    zookeeper: {
      pack: zookeeperPack,
      instance: zookeeper.instance,
      parameters: checkedParameters(zookeeperPack, zookeeper.parameters, 'provision.zookeeper.parameters'),
    },
    kafka: {
      pack: kafkaPack,
      instance: kafka.instance,
      parameters: checkedParameters(
        kafkaPack,
        { ...preset, ...kafka.parameters },
        'provision.kafka.parameters',
      ),
    },
  };
}
