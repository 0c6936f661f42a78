import type { StatefulSetRef } from '../experiment/result.ts';
import type { KubernetesObject } from './port.ts';

/** How a container ended, as in the Pod API. */
export interface Termination {
  exitCode: number;
  reason?: string;
  message?: string;
  finishedAt?: string | Date;
  containerID?: string;
}

/** Status of one container, as in the Pod API. */
export interface ContainerStatus {
  name: string;
  restartCount: number;
  ready?: boolean;
  /** `containerd://<id>`; of the life that is running or was last. */
  containerID?: string;
  state?: { running?: object; terminated?: Termination; waiting?: { reason?: string; message?: string } };
  lastState?: { terminated?: Termination };
}

/** The parts of a Pod that we rely on. */
export interface Pod extends KubernetesObject {
  spec?: {
    hostname?: string;
    subdomain?: string;
    nodeName?: string;
    containers?: {
      name: string;
      image?: string;
      ports?: { containerPort: number }[];
      [key: string]: unknown;
    }[];
    [key: string]: unknown;
  };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    podIP?: string;
    podIPs?: { ip: string }[];
    conditions?: {
      type: string;
      status: string;
      reason?: string;
      message?: string;
      lastTransitionTime?: string;
    }[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
    [key: string]: unknown;
  };
}

/** The parts of a StatefulSet that we rely on. */
export interface StatefulSet extends KubernetesObject {
  spec?: {
    replicas?: number;
    serviceName?: string;
    ordinals?: { start?: number };
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
    template?: {
      metadata?: { labels?: Record<string, string> };
      spec?: { terminationGracePeriodSeconds?: number };
    };
  };
  status?: {
    replicas?: number;
    updatedReplicas?: number;
    currentRevision?: string;
    updateRevision?: string;
  };
}

/** What a run remembers of a StatefulSet. */
export function statefulSetRef({ metadata, spec }: StatefulSet, namespace: string): StatefulSetRef {
  const { replicas = 1, serviceName, ordinals } = spec ?? {};
  return {
    namespace,
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    replicas,
    ...(serviceName ? { service: serviceName } : {}),
    ...(ordinals?.start ? { firstOrdinal: ordinals.start } : {}),
  };
}

/** Names of the pods that a StatefulSet will have, whether they are up or not. */
export function podNames({
  name,
  replicas,
  firstOrdinal = 0,
}: Pick<StatefulSetRef, 'name' | 'replicas' | 'firstOrdinal'>): string[] {
  return Array.from({ length: replicas }, (_, index) => `${name}-${firstOrdinal + index}`);
}

/** Waiting reasons that are steps of a normal start. */
const normal = new Set(['PodInitializing', 'ContainerCreating']);

/**
 * Why a pod does not get on: image pull, unschedulable, unbound volume, crash loop. One clause a reason, with its pod's name;
 * empty where it starts normally or runs.
 */
export function waitingReasons(pod: Pod): string[] {
  const name = pod.metadata?.name ?? '';
  const { initContainerStatuses = [], containerStatuses = [], conditions = [] } = pod.status ?? {};
  const containers = [...initContainerStatuses, ...containerStatuses].flatMap(
    ({ name: container, state }) => {
      const waiting = state?.waiting;
      if (!waiting?.reason || normal.has(waiting.reason)) return [];
      return [
        `${name}/${container}: ${waiting.reason}${waiting.message ? `: ${shortened(waiting.message)}` : ''}`,
      ];
    },
  );
  const scheduling = conditions
    .filter(({ type, status }) => type === 'PodScheduled' && status === 'False')
    .map(
      ({ reason, message }) =>
        `${name}: ${reason ?? 'not scheduled'}${message ? `: ${shortened(message)}` : ''}`,
    );
  return [...scheduling, ...containers];
}

/** Status of a container by name. */
export function containerOf(pod: Pod | undefined, name: string): ContainerStatus | undefined {
  return pod?.status?.containerStatuses?.find((container) => container.name === name);
}

/**
 * What a container left in its termination message, from JSON; undefined where it left nothing of the kind. One that could not be
 * started has the runtime's words there.
 */
export function lastWords<T>(pod: Pod | undefined, container: string): T | undefined {
  const message = containerOf(pod, container)?.state?.terminated?.message;
  if (!message) return undefined;
  try {
    return JSON.parse(message) as T;
  } catch {
    return undefined;
  }
}

/** Name of the container that declares a port, or of the only one; undefined where neither tells. */
export function containerWithPort(pod: Pod, port: number): string | undefined {
  const containers = pod.spec?.containers ?? [];
  const declaring = containers.find(({ ports = [] }) =>
    ports.some(({ containerPort }) => containerPort === port),
  );
  return (declaring ?? (containers.length === 1 ? containers[0] : undefined))?.name;
}

/** The present life of a container; undefined where it does not run. */
export function runningContainer(
  pod: Pod,
  name: string | undefined,
): { name: string; id: string; restarts: number } | undefined {
  const status = pod.status?.containerStatuses?.find((container) => container.name === name);
  if (!status?.state?.running || !status.containerID) return undefined;
  return { name: status.name, id: bareId(status.containerID), restarts: status.restartCount };
}

/** A container id without the scheme of its runtime: `containerd://ab12` is `ab12`. */
export function bareId(containerId: string): string {
  return containerId.replace(/^.*:\/\//, '');
}

/** Whether all containers of a pod are ready. */
export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/**
 * Since when (epoch ms) every pod that a StatefulSet will have is there and ready; undefined where one of them is not, or is on its
 * way out.
 */
export function wholeSince(statefulSet: StatefulSetRef, pods: Pod[]): number | undefined {
  const times = podNames(statefulSet).map((name) => {
    const pod = pods.find(({ metadata }) => metadata?.name === name);
    if (!pod || pod.metadata?.deletionTimestamp || !isReady(pod)) return undefined;
    const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
    return new Date(ready?.lastTransitionTime ?? 0).getTime();
  });
  return times.includes(undefined) ? undefined : Math.max(...times.map((time) => time ?? 0));
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
