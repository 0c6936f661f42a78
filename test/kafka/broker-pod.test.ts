import { expect, test } from 'vitest';
import type { LeaderfallError } from '../../src/experiment/errors.ts';
import {
  applyRule,
  type BrokerPodCandidate,
  mapBrokersToPods,
  podOfHost,
} from '../../src/kafka/broker-pod.ts';

const clusterDomain = 'cluster.local';

function pod(name: string, ip: string): BrokerPodCandidate {
  return { name, namespace: 'kafka', hostname: name, subdomain: 'kafka-svc', ips: [ip] };
}

const twelve = Array.from({ length: 12 }, (_, n) => pod(`kafka-${n}`, `10.0.0.${n + 1}`));

test('twelve brokers: id 10 is kafka-10, never kafka-1 or kafka-0', () => {
  const brokers = twelve.map((candidate, id) => ({
    id,
    host: `${candidate.name}.kafka-svc.kafka.svc.cluster.local`,
    port: 9092,
  }));
  const found = mapBrokersToPods({ brokers, pods: twelve, clusterDomain });
  expect([...found]).toEqual(brokers.map(({ id }) => [id, `kafka-${id}`]));
});

test('broker ids that are no ordinals are mapped by the advertised host alone', () => {
  const pods = [pod('kafka-v1-0', '10.0.0.1'), pod('kafka-v1-1', '10.0.0.2'), pod('kafka-v1-2', '10.0.0.3')];
  const brokers = [
    { id: 1, host: 'kafka-v1-2.kafka-svc', port: 9092 },
    { id: 1002, host: '10.0.0.1', port: 9092 },
    { id: 7, host: 'kafka-v1-1.kafka-svc.kafka.svc', port: 9092 },
  ];
  const found = mapBrokersToPods({ brokers, pods, clusterDomain });
  expect([...found]).toEqual([
    [1, 'kafka-v1-2'],
    [1002, 'kafka-v1-0'],
    [7, 'kafka-v1-1'],
  ]);
});

test('a host that is no pod needs a stated rule, else it is an error that names broker and host', () => {
  const brokers = [{ id: 1002, host: 'broker2.example.com', port: 9094 }];
  const options = { brokers, pods: twelve, clusterDomain };
  expect(() => mapBrokersToPods(options)).toThrow('broker 1002 cannot be tied to a pod');
  try {
    mapBrokersToPods({ ...options, rule: 'other-{id}' });
  } catch (error) {
    const { problem } = error as LeaderfallError;
    expect(problem.code).toBe('BROKER_UNMAPPED');
    expect(problem.evidence?.join('\n')).toContain('broker2.example.com:9094');
    expect(problem.evidence?.join('\n')).toContain('other-1002');
  }
  expect([...mapBrokersToPods({ ...options, rule: 'kafka-{id-1000}' })]).toEqual([[1002, 'kafka-2']]);
});

test('a broker without a pod may only be ahead of it, unless no pod is away or new', () => {
  const brokers = [{ id: 1002, host: 'broker2.example.com', port: 9094 }];
  const retryable = (settled?: boolean) => {
    try {
      mapBrokersToPods({
        ...{ brokers, pods: twelve, clusterDomain },
        ...(settled === undefined ? {} : { settled }),
      });
    } catch (error) {
      return (error as LeaderfallError).problem.retryable;
    }
  };
  expect([retryable(), retryable(false), retryable(true)]).toEqual([true, true, false]);
});

test('a host of another namespace or a longer name is not the pod', () => {
  expect(podOfHost('kafka-1.kafka-svc.other.svc.cluster.local', twelve, clusterDomain)).toBeUndefined();
  expect(podOfHost('kafka-1', twelve, clusterDomain)).toBeUndefined();
  expect(podOfHost('xkafka-1.kafka-svc', twelve, clusterDomain)).toBeUndefined();
});

test('rules add and subtract', () => {
  expect(applyRule('kafka-{id}', 3)).toBe('kafka-3');
  expect(applyRule('kafka-{id-100}', 103)).toBe('kafka-3');
  expect(applyRule('kafka-{id+1}', 2)).toBe('kafka-3');
});
