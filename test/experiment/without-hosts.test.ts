import fc from 'fast-check';
import { expect, test } from 'vitest';
import { problem } from '../../src/experiment/errors.ts';
import { errorWithoutHosts, problemWithoutHosts, withoutHosts } from '../../src/experiment/without-hosts.ts';

test.each([
  ['Connection error: connect ECONNREFUSED 10.1.2.3:9092', 'Connection error: connect ECONNREFUSED <host>'],
  ['connect ECONNREFUSED ::1:9092', 'connect ECONNREFUSED <host>'],
  ['getaddrinfo ENOTFOUND broker-canary', 'getaddrinfo ENOTFOUND <host>'],
  ['no connection to b0.kafka.example.com:9092 in 5 s', 'no connection to <host> in 5 s'],
  ['no pod stands behind kafka-0.kafka-svc.kafka.svc.cluster.local', 'no pod stands behind <host>'],
  ['it advertises kafka-0.svc:9092, not that', 'it advertises <host>, not that'],
  ['dial tcp 10.96.0.1:443: connect: connection refused', 'dial tcp <host>: connect: connection refused'],
  ['Failed to connect to broker [2001:db8::1]:9092', 'Failed to connect to broker <host>'],
  ['broker 10.1.2.3 (10.1.2.4:9092) went', 'broker <host> (<host>) went'],
])('%s', (text, told) => {
  expect(withoutHosts(text)).toBe(told);
});

test.each([
  'docker.io/leaderfall/leaderfall:0.1.0',
  'Back-off pulling image "registry.example.com:5000/team/app.d:12"',
  'kudobuilder/controller:v0.19.0',
  'https://repository.example.com:8443/v1/index.yaml',
  '2026-11-23T14:18:15.123Z',
  'create leases.coordination.k8s.io in namespace kafka',
  'StatefulSet kafka/kafka-kafka has no pods',
  'server v1.34.4, Kafka 2.5.1, 99.9 % below 12.5 ms',
  'the log of partition 0 ends at 12, read up to 10',
  'next: kubectl -n kafka describe pod kafka-liveness',
])('%s stays', (text) => {
  expect(withoutHosts(text)).toBe(text);
});

test('whatever a host with a dot and a port stands in, it goes', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z]$/);
  const words = fc.constantFrom('', 'failed: ', 'Connection error (', 'asking ', '"', 'a, ');
  const host = fc.tuple(fc.array(label, { minLength: 2, maxLength: 4 }), fc.integer({ min: 1, max: 65_535 }));
  fc.assert(
    fc.property(words, host, words, (before, [labels, port], after) => {
      const name = labels.join('.');
      expect(withoutHosts(`${before}${name}:${port} ${after}`)).not.toContain(name);
    }),
  );
});

test('a problem and the error behind it lose hosts in every text', () => {
  const cause = new Error('connect ECONNREFUSED 10.9.9.9:9092');
  const error = problem('KAFKA_UNREACHABLE', 'no answer from 10.9.9.9:9092', {
    evidence: ['b.canary.example:9092'],
    next: 'ping 10.9.9.9',
    cause,
  });
  const told = errorWithoutHosts(error);
  const all = JSON.stringify([problemWithoutHosts(error, 'aim'), told.message, told.stack, told.cause]);
  expect(all).not.toMatch(/10\.9\.9\.9|canary/);
  expect(problemWithoutHosts(error, 'aim')).toMatchObject({ code: 'KAFKA_UNREACHABLE', step: 'aim' });
});
