import { createRequire } from 'node:module';
import Table from 'cli-table3';
import { ofOnePartition } from '../../src/kafka/one-partition.ts';
import { latencyRecorder } from '../../src/liveness/latency.ts';
import { newReadLedger } from '../../src/liveness/ledger/read.ts';
import { newSentLedger, recordAcked } from '../../src/liveness/ledger/sent.ts';
import { encodeRecord } from '../../src/liveness/record.ts';
import { seriesRecorder } from '../../src/liveness/series.ts';
import { takeDown } from '../../src/liveness/take-down.ts';

/**
 * Where a record's processor time goes: `node bench/stream/cost-of-a-record.ts`. Needs no cluster. kafkajs' parts are taken from
 * within it, for it offers no way to run them alone.
 */
const kafkajs = createRequire(import.meta.url);
const group = kafkajs('kafkajs/src/producer/groupMessagesPerPartition.js');
const produce = kafkajs('kafkajs/src/protocol/requests/produce/v7/request.js');
const frame = kafkajs('kafkajs/src/protocol/request.js');
const newRecord = kafkajs('kafkajs/src/protocol/recordBatch/record/v0/index.js');
const { RecordBatch: newBatch } = kafkajs('kafkajs/src/protocol/recordBatch/v0/index.js');
const readBatch = kafkajs('kafkajs/src/protocol/recordBatch/v0/decoder.js');
const Decoder = kafkajs('kafkajs/src/protocol/decoder.js');

/** Records of a batch: as many of 1 KB as fit into one, or as asked for. */
const batch = Number(process.argv[2] ?? 929);
const batches = 200;
const runId = 'abcdefgh';
const values = Array.from({ length: batch }, (_, sequence) =>
  encodeRecord({ producer: 0, partition: 0, sequence, at: 1_764_000_000_000 }, runId, 1_000),
);
const messages = values.map((value) => ({ value, partition: 0 }));
const rows: [string, string, number][] = [];

async function cost(who: string, what: string, work: (round: number) => unknown): Promise<void> {
  for (let round = 0; round < 20; round++) await work(round);
  const before = process.cpuUsage();
  for (let round = 0; round < batches; round++) await work(20 + round);
  const { user, system } = process.cpuUsage(before);
  rows.push([who, what, (user + system) / batch / batches]);
}

const partitionMetadata = [{ partitionId: 0, leader: 0 }];
const partitioner = ({ message }: { message: { partition: number } }) => message.partition;
const request = async (messages: object[]) => {
  const partitions = [{ partition: 0, firstSequence: 0, messages }];
  const topicData = [{ topic: 'stream', partitions }];
  const body = produce({ acks: -1, timeout: 3_000, compression: 0, topicData });
  await frame({ correlationId: 1, clientId: 'bench', request: body });
};
const lastOffsetDelta = batch - 1;
const records = values.map((value, offsetDelta) => newRecord({ offsetDelta, value }));
const log = (await newBatch({ lastOffsetDelta, records })).buffer as Buffer;

await cost('kafkajs', 'put a batch’s records by their partitions', () =>
  group({ topic: 'stream', partitionMetadata, messages, partitioner }),
);
await cost('kafkajs', 'encode the request', () => request(messages));
const [ready = []] = Object.values<object[]>(
  group({ topic: 'stream', partitionMetadata, messages: ofOnePartition([...messages]), partitioner }),
);
await cost('kafkajs', 'encode the request, its records encoded at one go', () => request(ready));
await cost('kafkajs', 'decode the batch', () => readBatch(new Decoder(log)));
await cost('Leaderfall', 'make the record with its checksum', (round) => {
  for (let step = 0; step < batch; step++) {
    encodeRecord(
      { producer: 0, partition: 0, sequence: round * batch + step, at: 1_764_000_000_000 },
      runId,
      1_000,
    );
  }
});
const sent = newSentLedger(0);
await cost('Leaderfall', 'take the ack down', (round) =>
  recordAcked(sent, 0, round * batch, batch, round * batch),
);
// A ledger of its own for each: a record that comes again is looked for in all of its copies.
await cost('Leaderfall', 'check what was read and take it down', () => {
  const ledger = newReadLedger();
  for (const [offset, value] of values.entries()) {
    takeDown(ledger, { partition: 0, offset, value }, runId, 1_764_000_000_001);
  }
});
const series = seriesRecorder();
const latency = latencyRecorder();
await cost('Leaderfall', 'latency and series', (round) => {
  for (let step = 0; step < batch; step++) {
    series.done(Date.now() - round);
    latency.record(round);
  }
});

const table = new Table({
  head: ['', `of 1 KB, batches of ${batch}`, 'µs a record'],
  style: { head: [], border: [] },
});
for (const [who, what, microseconds] of rows) table.push([who, what, microseconds.toFixed(2)]);
console.log(String(table));
