import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { cluster } from '../../test/support/testbed.ts';
import { type Work, workBetween, workSoFar } from '../probes/who-works.ts';

/** What one container says of itself. */
export interface Sample {
  /** Epoch ms, pod's clock. */
  now: number;
  records: number;
}

/** Records a second that both sides of a stream kept up with. */
export interface Rate {
  sent: number;
  read: number;
  /** Processor time of a record that was sent, µs, by who used it. */
  cost: Work;
}

const pod = { namespace: 'kafka', name: 'kafka-liveness' };

/** Asks a container of the pod. */
export async function ask<T>(
  port: number,
  path: string,
  method: 'GET' | 'POST' = 'GET',
  timeoutMs = 10_000,
): Promise<T> {
  const { status, body } = await cluster.podRequest({ ...pod, port }, { method, path, timeoutMs });
  if (status !== 200) throw new Error(`${path} of port ${port}: ${status} ${body.slice(0, 200)}`);
  return JSON.parse(body) as T;
}

/** A stream is warm when so many records were read. */
const warm = 10_000;

/** A reader is level when no more than this is left to it: some batches are always on their way. Records */
const level = 10_000;

/** One that cannot keep up is not waited for any longer. ms */
const levelWithinMs = 60_000;

/**
 * Lets a stream run warm and its reader, which began later, come level; then takes the rate of both sides over a time. One that
 * is still catching up reads more than is sent, and takes the processor time for it from the sender.
 */
export async function rateOf(look: () => Promise<[Sample, Sample]>, seconds: number): Promise<Rate> {
  const deadline = Date.now() + levelWithinMs;
  for (;;) {
    const [sent, read] = await look().catch(() => [undefined, undefined]);
    const isWarm = read !== undefined && read.records > warm;
    if (isWarm && ((sent?.records ?? 0) - read.records < level || Date.now() > deadline)) break;
    await pause(500);
  }
  await pause(3_000);
  const before = await look();
  const worked = workSoFar();
  await pause(seconds * 1_000);
  const after = await look();
  const work = workBetween(worked, workSoFar());
  const [sent = 0, read = 0] = after.map((sample, side) => {
    const from = before[side] as Sample;
    return Math.round(((sample.records - from.records) * 1_000) / (sample.now - from.now));
  });
  const records = (after[0].records - before[0].records) / 1_000_000;
  const cost = Object.fromEntries(Object.entries(work).map(([part, used]) => [part, used / records])) as Work;
  return { sent, read, cost };
}

/** Makes the pod, lends it, and takes it down with its topic. */
export async function withPod<T>(manifest: KubernetesObject, use: () => Promise<T>): Promise<T> {
  const ref = { apiVersion: 'v1', kind: 'Pod', ...pod };
  if ((await cluster.create(manifest)) === 'exists') throw new Error('a liveness pod is there already');
  try {
    return await use();
  } finally {
    await cluster.remove(ref, { gracePeriodSeconds: 1 });
    while (await cluster.read(ref)) await pause(300);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
