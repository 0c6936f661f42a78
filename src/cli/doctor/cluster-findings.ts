import { brokersOf, checkBrokers, checkPod, checkReplication } from '../../activities/check-kafka.ts';
import { checkClock } from '../../activities/clock.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { runPermissions } from '../../activities/permissions.ts';
import { describePermission, unique } from '../../activities/resolve.ts';
import { standingBy } from '../../activities/standing.ts';
import type { ResolvedExperiment } from '../../experiment/spec.ts';
import { faultOf } from '../../faults/all-faults.ts';
import type { KubernetesObject, KubernetesPort } from '../../kubernetes/port.ts';
import { chooseProvisioner } from '../../provisioners/choose.ts';
import type { Finding } from './finding.ts';

/** Who only looks is no run. */
const nobody = { temporalNamespace: '', workflowId: '', runId: '' };

/** The API server. */
export async function apiFindings(kubernetes: KubernetesPort): Promise<Finding[]> {
  const { gitVersion } = await kubernetes.version();
  await checkClock(kubernetes);
  return [{ about: 'Kubernetes', state: 'ok', text: `API server ${gitVersion}` }];
}

/** Every right that a run of this experiment needs. */
export async function rightFindings(
  { kubernetes }: ActivityDependencies,
  experiment: ResolvedExperiment,
): Promise<Finding[]> {
  const { namespace } = experiment.cluster;
  const always = [...runPermissions(experiment), ...faultOf(experiment).permissions(namespace)];
  const chosen = await chooseProvisioner({ kubernetes, experiment }).catch(() => undefined);
  const own = chosen ? await chosen.provisioner.permissions({ kubernetes, experiment }) : [];
  const wanted = unique([...always, ...own]);
  const missing = await kubernetes.missingPermissions(wanted);
  if (missing.length === 0) {
    return [
      {
        about: 'rights',
        state: 'ok',
        text: `all ${wanted.length} that a run in namespace ${namespace} needs`,
      },
    ];
  }
  return [
    {
      about: 'rights',
      state: 'bad',
      text: `${missing.length} of ${wanted.length} are missing for whoever asks here`,
      evidence: missing.map(describePermission),
      next: `Bind the roles in deploy/kustomize that have them in namespace ${namespace}; docs/worker.md says which do.`,
    },
  ];
}

/** The target, whether its brokers answer, and what clean-up will meet. */
export async function kafkaFindings(
  deps: ActivityDependencies,
  experiment: ResolvedExperiment,
): Promise<Finding[]> {
  const about = 'Kafka';
  const { kubernetes } = deps;
  const { namespace } = experiment.cluster;
  if (!(await kubernetes.read({ apiVersion: 'v1', kind: 'Namespace', name: namespace }))) {
    const next = `kubectl create namespace ${namespace}`;
    return [{ about, state: 'bad', text: `namespace ${namespace} does not exist`, next }];
  }
  const { provisioner } = await chooseProvisioner({ kubernetes, experiment });
  const checked = await provisioner.check({
    ...{ kubernetes, experiment, run: nobody, expires: 0, signal: AbortSignal.timeout(60_000) },
    standing: standingBy(deps),
  });
  checkPod(experiment, checked);
  const { statefulSetName, isThere, notes } = checked;
  if (!isThere) {
    const text = `none in ${namespace} yet; a run makes ${statefulSetName}`;
    return [{ about, state: 'ok', text, ...(notes.length > 0 ? { evidence: notes } : {}) }];
  }
  return await brokersOf(deps, experiment, statefulSetName, async ({ kafka, reach }, statefulSet) => {
    const { replicas } = statefulSet;
    const { brokers } = await kafka.metadata({ timeoutMs: 5_000 });
    checkReplication(experiment, replicas);
    await checkBrokers(kubernetes, experiment, kafka, statefulSet, AbortSignal.timeout(60_000));
    const findings: Finding[] = [
      {
        about,
        state: brokers.length < replicas ? 'warning' : 'ok',
        text: `${brokers.length} of ${replicas} brokers of ${namespace}/${statefulSetName}, reached ${reach === 'direct' ? 'directly' : 'by port-forward'}`,
        ...(brokers.length < replicas
          ? { next: 'The guard waits for the others before it lets a kill through.' }
          : {}),
      },
    ];
    const settings = brokers[0] ? await kafka.brokerConfig(brokers[0].id) : {};
    findings.push(deletionFinding(settings['delete.topic.enable']));
    return findings;
  });
}

function deletionFinding(enabled: string | undefined): Finding {
  const about = 'topic deletion';
  if (enabled === undefined) return { about, state: 'skipped', text: 'delete.topic.enable was not observed' };
  if (enabled === 'true') return { about, state: 'ok', text: 'delete.topic.enable=true' };
  return {
    about,
    state: 'warning',
    text: 'delete.topic.enable=false: the stream’s topic is emptied after a run but stays',
    next: 'Set DELETE_TOPIC_ENABLE=true (KUDO) or delete.topic.enable=true on the brokers, or remove leaderfall-* topics by hand.',
  };
}

interface Node extends KubernetesObject {
  status?: { images?: { names?: string[] }[] };
}

/** Whether some node has the image of the kafka-liveness pod. Whether others can pull it only a pull can tell. */
export async function imageFindings(kubernetes: KubernetesPort, image: string): Promise<Finding[]> {
  const about = 'image';
  let nodes: Node[];
  try {
    nodes = (await kubernetes.list<Node>({ apiVersion: 'v1', kind: 'Node' })).items;
  } catch {
    return [{ about, state: 'skipped', text: `${image}: nodes may not be listed with these rights` }];
  }
  const wanted = fullName(image);
  const having = nodes.filter(({ status }) =>
    status?.images?.some(({ names }) => names?.some((name) => fullName(name) === wanted)),
  );
  if (having.length > 0) {
    return [{ about, state: 'ok', text: `${image} is on ${having.length} of ${nodes.length} nodes` }];
  }
  return [
    {
      about,
      state: 'warning',
      text: `${image} is on no node yet: the first run pulls it, and ends within 30 s if that fails`,
      next: 'Push it where the nodes can pull it, or set LEADERFALL_LIVENESS_IMAGE on the worker.',
    },
  ];
}

/** An image's name as container runtimes list it: `a/b` is `docker.io/a/b:latest`. */
function fullName(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const path = hasHost ? image : `docker.io/${rest.length === 0 ? 'library/' : ''}${image}`;
  return /[:@][^/]*$/.test(path) ? path : `${path}:latest`;
}
