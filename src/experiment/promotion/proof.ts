import { millisecondsOf } from '../durations.ts';
import type { Stage } from './promotion.ts';
import type { PromotionRecord, PromotionRun } from './record.ts';

/** What an experiment of a stage is, but for where it is run. */
export interface ProofOf {
  name: string;
  spec: string;
}

/**
 * Whether the runs of an earlier stage prove a stage: each experiment passed there with the same spec, for the same subject, not longer
 * ago than `maxAge` (`now` in epoch ms). Gives what proves it, or what is lacking. An overridden stage proves nothing.
 */
export function judgeProof(
  { stage: name, maxAge }: NonNullable<Stage['proof']>,
  experiments: ProofOf[],
  subject: string,
  { record, now }: { record: PromotionRecord | undefined; now: number },
): { proof: string } | { lack: string } {
  if (!record) return { lack: 'the promotion that is to prove it is not there, or has not ended' };
  if (record.subject !== subject)
    return { lack: `${name} was passed by ${record.subject}, not by ${subject}` };
  const stage = record.stages.find((one) => one.name === name);
  if (!stage) return { lack: `promotion ${record.promotion.workflowId} has no stage ${name}` };
  if (stage.state !== 'passed') return { lack: `stage ${name} is ${stage.state}` };
  const newest = experiments.map(({ spec }) =>
    stage.runs
      .filter((run) => run.spec === spec && run.verdict === 'Pass' && run.endedAt)
      .reduce<PromotionRun | undefined>(
        (best, run) => (best && endOf(best) > endOf(run) ? best : run),
        undefined,
      ),
  );
  const lacking = experiments.filter((_, index) => !newest[index]);
  if (lacking.length > 0)
    return { lack: `${lacking.map((one) => one.name).join(', ')} never passed in ${name} with this spec` };
  const oldest = newest.reduce((best, run) => (run && best && endOf(run) < endOf(best) ? run : best));
  const at = oldest?.endedAt ?? '';
  if (now - Date.parse(at) > millisecondsOf(maxAge))
    return { lack: `the proof of ${name} is of ${at.slice(0, 16)}Z, older than ${maxAge}` };
  const ids = newest.flatMap((run) => (run ? [run.workflowId] : []));
  return { proof: `${[...new Set(ids)].join(', ')}; the oldest ended ${at.slice(0, 16)}Z` };
}

function endOf({ endedAt }: PromotionRun): number {
  return Date.parse(endedAt ?? '');
}
