import { expect, test } from 'vitest';
import { brokerLog, dropBrokerLog, followBrokerLog } from '../../src/activities/broker-log.ts';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import type { KillPlan } from '../../src/experiment/kill-record.ts';
import { fakeKafka, scene } from './step-support.ts';

const plan = {
  pod: 'kafka-2',
  namespace: 'kafka',
  container: { name: 'k8skafka', id: 'c0ffee', restarts: 0 },
} as KillPlan;

/** A container's log that goes on until it is ended; what has been asked for is in `asked`. */
async function logged() {
  const { deps } = await scene(fakeKafka());
  const lines: string[] = ['[KafkaServer id=2] started'];
  const asked: string[] = [];
  let wake = Promise.withResolvers<void>();
  let over = false;
  const poke = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  deps.kubernetes.followLog = async function* (pod, container, signal) {
    asked.push(`${pod.namespace}/${pod.name}/${container}`);
    signal.addEventListener('abort', poke);
    while (!signal.aborted) {
      const line = lines.shift();
      if (line !== undefined) yield line;
      else if (over) return;
      else await wake.promise;
    }
  };
  return {
    deps,
    asked,
    say: (line: string) => {
      lines.push(line);
      poke();
    },
    end: () => {
      over = true;
      poke();
    },
  };
}

async function whenEnded(deps: ActivityDependencies) {
  await expect.poll(() => brokerLog(deps, plan)?.ended).toBe(true);
  return brokerLog(deps, plan)?.log;
}

test('is followed from before the death to its last line', async () => {
  const { deps, asked, say, end } = await logged();
  await followBrokerLog(deps, plan);
  expect(asked).toEqual(['kafka/kafka-2/k8skafka']);
  expect(brokerLog(deps, plan)).toMatchObject({ ended: false, log: { signalled: false } });
  say('Terminating process due to signal SIGTERM');
  say('[KafkaServer id=2] Starting controlled shutdown');
  end();
  expect(await whenEnded(deps)).toEqual({
    signalled: true,
    began: true,
    handedOver: false,
    completed: false,
  });
});

test('is not observed where nothing of it was seen, which is not the same as a silent one', async () => {
  const { deps } = await scene(fakeKafka());
  await followBrokerLog(deps, plan);
  expect(brokerLog(deps, plan)).toBeUndefined();
  expect(brokerLog(deps, { ...plan, container: undefined })).toBeUndefined();
});

test('of one life of a container says nothing of the next', async () => {
  const { deps, end } = await logged();
  await followBrokerLog(deps, plan);
  expect(
    brokerLog(deps, { ...plan, container: { name: 'k8skafka', id: 'dead', restarts: 1 } }),
  ).toBeUndefined();
  end();
  await whenEnded(deps);
});

test('is let go', async () => {
  const { deps, say } = await logged();
  await followBrokerLog(deps, plan);
  dropBrokerLog(deps, plan);
  say('Terminating process due to signal SIGTERM');
  expect(brokerLog(deps, plan)).toBeUndefined();
});
