import type { ReadRecord } from '../kafka/streams.ts';
import { type Finding, type ReadLedger, recordRead, recordStrange } from './ledger/read.ts';
import { decodeRecord, probeProducer, type StreamRecord } from './record.ts';

/** Takes one record down in a reader's ledger; gives it back where it is of the run, with what it is to the ledger. */
export function takeDown(
  ledger: ReadLedger,
  { partition, offset, value }: ReadRecord,
  runId: string,
  now: number,
): { record: StreamRecord; finding: Finding } | undefined {
  const record = decodeRecord(value, runId);
  if (typeof record === 'string') recordStrange(ledger, partition, offset, record);
  else if (record.producer === probeProducer) recordStrange(ledger, partition, offset, 'probe');
  else if (record.partition !== partition) recordStrange(ledger, partition, offset, 'foreign');
  else {
    const { producer, sequence, at } = record;
    return { record, finding: recordRead(ledger, { partition, offset, producer, sequence, due: at }, now) };
  }
  return undefined;
}
