import { kafkaClient } from '../../src/kafka/kafkajs.ts';
import type { Dial } from '../../src/kafka/port.ts';

/** Writes values to partition 0 in one transaction and ends it; either way its marker is the last in the log. */
export async function transaction(
  target: { bootstrap: string[]; topic: string; dial: Dial },
  values: string[],
  end: 'commit' | 'abort',
): Promise<void> {
  const { bootstrap, topic, dial } = target;
  const retry = { retries: 20, initialRetryTime: 200, maxRetryTime: 1_000 };
  const producer = kafkaClient({ bootstrap, dial, clientId: 'transactions', retry }).producer({
    transactionalId: `${topic}-${end}`,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  try {
    const open = await producer.transaction();
    await open.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
    await open[end]();
  } finally {
    await producer.disconnect();
  }
}
