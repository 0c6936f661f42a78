import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from './environment.ts';
import type { ConsumerReport } from './protocol.ts';
import { type PackedSeries, recordedSeries, type SideReport, type SideRequest } from './series.ts';

/** What the consumer knew when it gave up. */
export interface ConsumerRecord {
  report: ConsumerReport;
  series: PackedSeries;
}

/** Where a container leaves it for those that go on: the folder is a volume that the pod's containers share. */
function fileOf({ runId }: Pick<Settings, 'runId'>, part: 'record' | 'series'): string {
  return join(tmpdir(), `leaderfall-${runId}-consumer.${part}`);
}

/** Leaves what would end with the container, whole: its last words hold 4 KiB. */
export function leaveRecord(settings: Pick<Settings, 'runId'>, { report, series }: ConsumerRecord): void {
  const { blocks, endedAt } = series;
  const numbers = fileOf(settings, 'series');
  const file = fileOf(settings, 'record');
  try {
    writeFileSync(numbers, '');
    for (const { buffer, byteOffset, byteLength } of blocks) {
      appendFileSync(numbers, new Uint8Array(buffer, byteOffset, byteLength));
    }
    writeFileSync(`${file}.new`, JSON.stringify({ report, endedAt }));
    renameSync(`${file}.new`, file);
  } catch (error) {
    console.error(`the record cannot be left: ${(error as Error).message}`);
  }
}

/** The report that the consumer left; undefined where it left none. */
export function reportLeft(settings: Pick<Settings, 'runId'>): ConsumerReport | undefined {
  return recordLeft(settings)?.report;
}

/** The stream by the second as the consumer left it; undefined where it left nothing. */
export function seriesLeft(settings: Pick<Settings, 'runId'>, request: SideRequest): SideReport | undefined {
  const left = recordLeft(settings);
  if (!left) return undefined;
  const { buffer } = new Uint8Array(readFileSync(fileOf(settings, 'series')));
  return recordedSeries({ blocks: [new Uint32Array(buffer)], endedAt: left.endedAt }, request);
}

function recordLeft(
  settings: Pick<Settings, 'runId'>,
): { report: ConsumerReport; endedAt: number } | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(settings, 'record'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
