import { expect, test } from 'vitest';
import { checkReachable, checkTarget } from '../../src/activities/check-kafka.ts';
import type { LeaderfallError } from '../../src/experiment/errors.ts';
import { addressOf } from '../../src/kafka/metadata-pool.ts';
import { fakeKafka } from './step-support.ts';

const { signal } = new AbortController();

/** A Kafka of brokers 1000 to 1002, of which these do not answer where they advertise to be, for so many questions. */
function behindWall(silent: number[], questions = Number.POSITIVE_INFINITY) {
  const kafka = fakeKafka();
  const { metadataOfEach } = kafka;
  let asked = 0;
  kafka.metadataOfEach = async (options) => {
    const answers = await metadataOfEach(options);
    if (asked++ >= questions) return answers;
    for (const broker of options?.brokers ?? []) {
      if (silent.includes(broker.id)) answers.set(addressOf(broker), undefined);
    }
    return answers;
  };
  return kafka;
}

const problemOf = (error: unknown) => (error as LeaderfallError).problem;

test('brokers that are listed and cannot be reached are named', async () => {
  const refused = checkReachable(behindWall([1000, 1002]), signal, 0).catch(problemOf);
  expect(await refused).toMatchObject({
    code: 'KAFKA_UNREACHABLE',
    message: 'listed, but not to be reached: broker 1000, 1002',
    evidence: [expect.stringContaining('broker 1000 advertises kafka-kafka-0'), expect.anything()],
    retryable: true,
  });
});

test('a broker that is only coming back, or is still listed after its death, is waited for', async () => {
  await checkReachable(behindWall([1001], 1), signal);
});

test('a controller that clients are not told of is no target', async () => {
  const kafka = fakeKafka();
  const settings = { 'process.roles': '' };
  kafka.brokerConfig = async () => settings;
  await checkTarget({ target: 'controller' }, kafka, 3);
  settings['process.roles'] = 'broker,controller';
  await checkTarget({ target: 'leader' }, kafka, 3);
  expect(await checkTarget({ target: 'controller' }, kafka, 3).catch(problemOf)).toMatchObject({
    code: 'INPUT_INVALID',
    evidence: ['target: controller', 'process.roles=broker,controller'],
  });
  kafka.brokerConfig = () => Promise.reject(new Error('may not be read'));
  await checkTarget({ target: 'controller' }, kafka, 3);
});

test('a broker id that a whole Kafka does not list is no target; one that is only down may come back', async () => {
  const whole = fakeKafka();
  await checkTarget({ target: { broker: 1001 } }, whole, 3);
  expect(await checkTarget({ target: { broker: 1 } }, whole, 3).catch(problemOf)).toMatchObject({
    code: 'TARGET_NOT_FOUND',
    message: 'there is no broker 1 in this Kafka',
    evidence: ['target.broker', 'its brokers: 1000, 1001, 1002'],
    retryable: false,
  });
  await checkTarget({ target: { broker: 1001 } }, fakeKafka({ brokers: [1000, 1002] }), 3);
});
