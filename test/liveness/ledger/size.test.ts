import { expect, test } from 'vitest';
import { newReadLedger, recordRead } from '../../../src/liveness/ledger/read.ts';
import { newSentLedger, recordAcked } from '../../../src/liveness/ledger/sent.ts';
import { readBytes, sentBytes } from '../../../src/liveness/ledger/size.ts';

interface Stream {
  partitions: number;
  producers: number;
  batches: number;
  records: number;
  /** Whether the reader finds a batch in the log. */
  kept: (batch: number) => boolean;
}

/** Producers take turns in each partition, so that no two batches of one of them lie side by side. */
function bytesFor({ partitions, producers, batches, records, kept }: Stream): number {
  const read = newReadLedger();
  const sent = Array.from({ length: producers }, (_, producer) => newSentLedger(producer));
  for (let partition = 0; partition < partitions; partition++) {
    for (let batch = 0; batch < batches; batch++) {
      const ledger = sent[batch % producers];
      const first = Math.floor(batch / producers) * records;
      const base = batch * records;
      if (ledger) recordAcked(ledger, partition, first, records, base);
      for (let step = 0; kept(batch) && step < records; step++) {
        const place = { partition, offset: base + step, sequence: first + step };
        recordRead(read, { ...place, producer: batch % producers, due: base }, base);
      }
    }
  }
  return readBytes(read) + sent.reduce((sum, ledger) => sum + sentBytes(ledger), 0);
}

/** At most a bit a record and 16 bytes a batch, besides the little that an empty ledger takes. */
function expectSmall(stream: Stream): void {
  const { partitions, producers, batches, records } = stream;
  const bound = partitions * (batches * (16 + records / 8) + producers * 512);
  expect(bytesFor(stream)).toBeLessThanOrEqual(bound);
}

test('one producer without faults costs next to nothing', () => {
  const stream = { partitions: 3, producers: 1, batches: 20_000, records: 10, kept: () => true };
  expect(bytesFor(stream)).toBeLessThan(1_024 * stream.partitions);
});

test('producers that take turns cost 16 bytes a batch, both sides together', () => {
  // As far above a power of two as 20,000, so that as much of what a ledger has room for is empty.
  const batches = 5_000;
  for (const records of [1, 2, 50]) {
    expectSmall({ partitions: 2, producers: 2, batches, records, kept: () => true });
    expectSmall({ partitions: 1, producers: 5, batches, records, kept: () => true });
  }
});

test('so does a stream of which every other batch is lost', () => {
  expectSmall({ partitions: 1, producers: 1, batches: 20_000, records: 1, kept: (batch) => batch % 2 === 0 });
});
