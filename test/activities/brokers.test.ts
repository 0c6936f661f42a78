import { expect, test } from 'vitest';
import { dropKafkas, withKafka } from '../../src/activities/brokers.ts';
import { fakeKafka, type Scene, scene } from './step-support.ts';

/** A scene that counts how often its Kafka was reached, and left. */
async function counted(): Promise<{ at: Scene; count: { reached: number; closed: number } }> {
  const at = await scene(fakeKafka());
  const count = { reached: 0, closed: 0 };
  at.kafka.close = async () => {
    count.closed++;
  };
  at.deps.connectKafka = () => {
    count.reached++;
    return at.kafka;
  };
  return { at, count };
}

function use<T>({ deps, context }: Scene, work: () => Promise<T>): Promise<T> {
  return withKafka(deps, context.resolved.experiment, context.kafka.statefulSet, work);
}

test('a Kafka is reached once for several steps, and anew after one that failed with it', async () => {
  const { at, count } = await counted();
  await use(at, async () => {});
  await use(at, async () => {});
  expect(count).toEqual({ reached: 1, closed: 0 });
  await expect(use(at, () => Promise.reject(new Error('no answer')))).rejects.toThrow('no answer');
  expect(count).toEqual({ reached: 1, closed: 1 });
  await use(at, async () => {});
  expect(count).toEqual({ reached: 2, closed: 1 });
  await dropKafkas(at.deps);
});

test('a command that has looked leaves nothing open that would keep it from ending', async () => {
  const { at, count } = await counted();
  await use(at, async () => {});
  await dropKafkas(at.deps);
  expect(count).toEqual({ reached: 1, closed: 1 });
  await dropKafkas(at.deps);
  expect(count.closed).toBe(1);
});
