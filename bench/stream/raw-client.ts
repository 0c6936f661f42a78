import { createServer } from 'node:http';
// biome-ignore lint/style/noRestrictedImports: what is measured is kafkajs alone
import { Kafka, logLevel, Partitioners } from 'kafkajs';

/**
 * kafkajs and nothing else: what the stream's rate is held against. Runs in the project's image, given to Node as text, in two
 * containers: a producer that sends the same value over and over to each partition in batches of one size, and a group member that
 * counts.
 */
const { RAW_ROLE, RAW_BOOTSTRAP = '', RAW_TOPIC = '', RAW_BYTES = '', RAW_BATCH = '' } = process.env;
const { RAW_PARTITIONS = '' } = process.env;
const kafka = new Kafka({ brokers: RAW_BOOTSTRAP.split(','), clientId: 'raw', logLevel: logLevel.ERROR });
let records = 0;

createServer((_, response) => {
  const { user, system } = process.cpuUsage();
  response.end(JSON.stringify({ now: Date.now(), records, cpuMs: (user + system) / 1_000 }));
}).listen(RAW_ROLE === 'producer' ? 8081 : 8082);

if (RAW_ROLE === 'producer') {
  const producer = kafka.producer({
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  // Bytes, as the stream sends: kafkajs converts text for each record.
  const value = Buffer.alloc(Number(RAW_BYTES), 'x');
  for (let partition = 0; partition < Number(RAW_PARTITIONS); partition++) void sendTo(partition, value);

  async function sendTo(partition: number, value: Buffer): Promise<void> {
    const messages = Array.from({ length: Number(RAW_BATCH) }, () => ({ value, partition }));
    for (;;) {
      await producer.send({ topic: RAW_TOPIC, acks: -1, messages });
      records += messages.length;
    }
  }
} else {
  const consumer = kafka.consumer({ groupId: `${RAW_TOPIC}-raw`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: RAW_TOPIC, fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      records += batch.messages.length;
    },
  });
}
