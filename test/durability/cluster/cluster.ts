import type { KubernetesObject } from '../../../src/kubernetes/port.ts';
import { livenessPodName } from '../../../src/liveness/pod.ts';
import { type Answer, type Behind, type Request, serve, status } from './api.ts';
import { brokers, type SimulatedKafka, simulatedKafka } from './kafka.ts';
import { routeOf } from './route.ts';
import { makeStore, type Store } from './store.ts';
import { type SimulatedStream, simulatedStream } from './stream.ts';

/** The end of a broker, as its own cluster counts it. */
export interface Death {
  pod: string;
  uid: string;
  /** Epoch ms at which the deletion was carried out. */
  at: number;
}

/**
 * What happens to a request on its way. `what` is short, as in `DELETE pods/kafka-kafka-1` or `POST kafka/deleteTopic`; `carryOut`
 * does it. 'lost': nobody answers, and the connection stays as it is until the client ends it.
 */
export type OnTheWay = (
  request: Request & { what: string },
  carryOut: () => Answer,
) => Answer | 'lost' | Promise<Answer | 'lost'>;

/** A Kubernetes with one Kafka, simulated: it keeps its own books of what was done to it. */
export interface SimulatedCluster {
  store: Store;
  kafka: SimulatedKafka;
  deaths: Death[];
  /** Everything that came, whether it was carried out or not. */
  requests: { at: number; what: string }[];
  /** In the way of all requests; replaced by whoever disturbs. */
  onTheWay: OnTheWay;
  handle(request: Request): Promise<Answer | 'lost'>;
  /** What a run has left. Empty: nothing. */
  leftovers(): string[];
}

const statefulSet = 'kafka-kafka';

/** What becomes of a pod that is deleted: when it is gone, when its successor is there, when that is a broker again. ms */
const afterDeletion = { gone: 400, successor: 600, back: 1_500 };

/** Makes one that is whole, with its Kafka in that namespace; its StatefulSet has opted in. */
export async function simulatedCluster(namespace: string): Promise<SimulatedCluster> {
  const store = makeStore();
  const kafka = simulatedKafka((id) => `${statefulSet}-${id}.kafka-svc.${namespace}.svc.cluster.local`);
  const deaths: Death[] = [];
  let stream: SimulatedStream | undefined;

  store.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  store.create('services', {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'kafka-svc', namespace } },
    spec: { clusterIP: 'None' },
  });
  const owner = store.create('statefulsets', {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet' },
    metadata: {
      name: statefulSet,
      namespace,
      labels: { app: 'kafka' },
      annotations: { 'litmuschaos.io/chaos': 'true' },
    },
    spec: {
      ...{ replicas: brokers.length, serviceName: 'kafka-svc', selector: { matchLabels: { app: 'kafka' } } },
      template: { metadata: { labels: { app: 'kafka' } }, spec: { terminationGracePeriodSeconds: 30 } },
    },
    status: { replicas: 3, readyReplicas: 3, currentRevision: '1', updateRevision: '1' },
  });
  for (const id of brokers) {
    const ready = { type: 'Ready', status: 'True' };
    store.create('nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: `node-${id}` },
      status: { conditions: [ready] },
    });
    makeBroker(id);
  }
  const atFirst = new Set(store.all().map(({ resource, object }) => `${resource} ${object.metadata?.name}`));
  const annotationsAtFirst = JSON.stringify(owner?.metadata?.annotations);

  function makeBroker(id: number): void {
    const name = `${statefulSet}-${id}`;
    store.create('pods', {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: {
        ...{ name, namespace, labels: { app: 'kafka' } },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'StatefulSet', name: statefulSet, uid: owner?.metadata?.uid },
        ],
      },
      spec: {
        ...{ hostname: name, subdomain: 'kafka-svc', nodeName: `node-${id}` },
        containers: [{ name: 'kafka', ports: [{ containerPort: 9092 }] }],
      },
      status: running(['kafka'], `${name}-${store.version()}`),
    });
  }

  function terminate(pod: KubernetesObject): void {
    const { name = '', uid = '' } = pod.metadata ?? {};
    const broker = brokers.find((id) => name === `${statefulSet}-${id}`);
    setTimeout(() => store.remove('pods', name, namespace), afterDeletion.gone);
    if (broker === undefined) return;
    deaths.push({ pod: name, uid, at: Date.now() });
    kafka.goes(broker);
    setTimeout(() => makeBroker(broker), afterDeletion.successor);
    setTimeout(() => kafka.comes(broker), afterDeletion.back);
  }

  /** What a kubelet does to a pod that has come: only the stream's pod does anything. */
  store.onChange(({ type, resource, object }) => {
    if (resource !== 'pods' || object.metadata?.name !== livenessPodName) return;
    // Whoever removed it, a person or the collector of what its owner left: its consumer leaves its groups.
    if (type === 'DELETED') for (const group of kafka.groups.keys()) kafka.groups.set(group, 0);
    if (type !== 'ADDED') return;
    setTimeout(() => {
      const found = store.read('pods', livenessPodName, namespace);
      if (!found) return;
      const topic = variable(object, 'LIVENESS_TOPIC');
      kafka.topics.add(topic);
      kafka.groups.set(`${topic}-0`, 1);
      stream = simulatedStream(kafka, topic);
      const status = running(
        ['kafka-producer', 'kafka-consumer', 'kafka-observer'],
        object.metadata?.uid ?? '',
      );
      store.update('pods', { ...found, spec: { ...(found.spec as object), nodeName: 'node-0' }, status });
    }, 200);
  });

  const behind: Behind = {
    ...{ store, terminate },
    proxy: (pod, port, request) =>
      stream && store.read('pods', pod, namespace)
        ? stream.answer(port, request)
        : { status: 404, body: { kind: 'Status', reason: 'NotFound' } },
  };

  const cluster: SimulatedCluster = {
    ...{ store, kafka, deaths, requests: [], onTheWay: (_, carryOut) => carryOut() },
    handle: async (request) => {
      const route = routeOf(request.path);
      const pod = route?.rest ? `${route.name}/${route.rest}` : route?.name;
      const what = `${request.method} ${route ? `${route.resource}${pod ? `/${pod}` : ''}` : request.path.slice(1)}`;
      cluster.requests.push({ at: Date.now(), what });
      return await cluster.onTheWay({ ...request, what }, () => {
        if (request.path === '/version')
          return { status: 200, body: { gitVersion: 'v1.34.0', major: '1', minor: '34' } };
        if (request.path.startsWith('/kafka/')) return askKafka(kafka, request);
        return route ? serve(request, route, behind) : status(404, 'NotFound');
      });
    },
    leftovers: () => {
      const { annotations } = store.read('statefulsets', statefulSet, namespace)?.metadata ?? {};
      return [
        ...store
          .all()
          .map(({ resource, object }) => `${resource} ${object.metadata?.name}`)
          .filter((name) => !atFirst.has(name) && !name.startsWith('events ')),
        ...[...kafka.topics].map((topic) => `topic ${topic}`),
        ...[...kafka.groups.keys()].map((group) => `group ${group}`),
        ...(JSON.stringify(annotations) === annotationsAtFirst
          ? []
          : [`annotations ${JSON.stringify(annotations)}`]),
      ];
    },
  };
  return cluster;
}

function running(containers: string[], id: string) {
  return {
    ...{ phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
    containerStatuses: containers.map((name) => ({
      ...{ name, restartCount: 0, ready: true, containerID: `containerd://${name}-${id}` },
      state: { running: {} },
    })),
  };
}

/** A variable of the first container that has it. */
function variable(pod: KubernetesObject, name: string): string {
  const { containers = [], initContainers = [] } = pod.spec as Record<
    'containers' | 'initContainers',
    { env?: { name: string; value: string }[] }[] | undefined
  >;
  return (
    [...(initContainers ?? []), ...(containers ?? [])]
      .flatMap(({ env = [] }) => env)
      .find((one) => one.name === name)?.value ?? ''
  );
}

/** The port of `src/kafka` by HTTP. */
function askKafka(kafka: SimulatedKafka, { path, body }: Request): Answer {
  const [argument] = body as [never];
  const answers: Record<string, () => unknown> = {
    metadata: () => kafka.metadata((argument as { topics?: string[] } | undefined)?.topics),
    groups: () => [...kafka.groups.keys()],
    deleteTopic: () => (kafka.topics.delete(argument) ? 'deleted' : 'not-found'),
    deleteGroup: () => {
      if (kafka.groups.get(argument)) return 'in-use';
      return kafka.groups.delete(argument) ? 'deleted' : 'not-found';
    },
    brokerConfig: () => ({ 'unclean.leader.election.enable': 'false', 'delete.topic.enable': 'true' }),
    topicListed: () => kafka.topics.has(argument),
  };
  const answer = answers[path.slice('/kafka/'.length)];
  return answer ? { status: 200, body: { value: answer() } } : status(404, 'NotFound');
}
