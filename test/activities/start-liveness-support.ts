import { afterEach, beforeEach, vi } from 'vitest';
import { makeStartLiveness } from '../../src/activities/start-liveness.ts';
import { problem } from '../../src/experiment/errors.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import type { Pod } from '../../src/kubernetes/workloads.ts';
import { attempt, claim, fakeKafka, type Scene, scene } from './step-support.ts';

/** When all of it begins. */
export const start = Date.parse('2026-01-01T00:00:00Z');

/** For each test of a file the clock is moved by pauses alone, which the file replaces. */
export function holdClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: start });
  });

  afterEach(() => {
    vi.useRealTimers();
  });
}

/** The liveness pod among the fake's objects and writes. */
export const key = 'Pod kafka/kafka-liveness';

/** What a kubelet says of a pod. */
export type Status = NonNullable<Pod['status']>;

/** A Kafka that the run has claimed, without liveness pod; whatever pod comes has the status that the kubelet gives it after so many ms. */
export async function withKubelet(
  kubelet: (ms: number) => Status,
  input: ExperimentInput = {},
): Promise<Scene> {
  const at = await scene(fakeKafka(), input);
  at.kubernetes.objects.delete(key);
  await claim(at);
  at.kubernetes.writes.length = 0;
  const { read } = at.kubernetes;
  at.kubernetes.read = async (ref) => {
    const found = await read(ref);
    return found && ref.name === 'kafka-liveness'
      ? ({ ...found, status: kubelet(Date.now() - start) } as never)
      : (found as never);
  };
  stream(at, () => ({}));
  return at;
}

/** What the stream is like; 100 records a second and all replicas in sync where nothing is said. */
export interface Flow {
  acks?: number;
  reads?: number;
  isr?: number[];
  leader?: number;
}

/** What the pod's containers report after so many ms. */
export function stream(at: Scene, flow: (ms: number) => Flow | 'silent'): void {
  at.kubernetes.podRequest = async ({ port }) => {
    const now = flow(Date.now() - start);
    if (now === 'silent') throw problem('KUBERNETES_UNREACHABLE', 'no answer', { retryable: true });
    const { acks = 100, reads = 100, isr = [1, 2, 3], leader = 1 } = now;
    const reports: Record<number, object> = {
      8081: { ackRate: acks, lastError: 'NotEnoughReplicas' },
      8082: { receiveRate: reads },
      8083: { current: { leader, isr, replicas: [1, 2, 3] } },
    };
    return { status: 200, body: JSON.stringify(reports[port]) };
  };
}

/** The step, as the first attempt of a run. */
export function startLiveness(at: Scene) {
  return attempt(makeStartLiveness(at.deps), at.context);
}

/** A pod as it should be. */
export const running: Status = { phase: 'Running' };
