import type { Death } from '../experiment/kill-record.ts';
import type { ShutdownLog } from './shutdown-log.ts';

/** What was seen of an end. What is absent was not observed. */
export interface End {
  /** What was done: the pod deleted (SIGTERM, later SIGKILL), or the process sent SIGKILL. */
  act: 'deleted' | 'killed';
  /** That very process, by its container or its pod's UID, is no more. */
  gone: boolean;
  exit?: { code: number; reason?: string };
  /** From our SIGKILL to the death of that very process, by its node's own account, ms. */
  endedAfterMs?: number;
  log?: ShutdownLog;
  /** By Kafka's metadata: leadership, or the place in the ISR, was given up by the broker's own word and not by its absence. */
  handedOver?: boolean;
}

/** Exit code of a process that was ended by SIGKILL: 128 + 9. */
const bySigkill = 137;

/** Which death it was, and the facts that say so. Two sights of one fact, the broker's log and the metadata, back each other up. */
export function deathOf(end: End): { death: Death; because: string[] } {
  const because = sights(end);
  const { act, gone, exit, endedAfterMs, log, handedOver } = end;
  if (!gone) return { death: 'not proven', because: ['its end was not seen', ...because] };
  const announced = log?.signalled || log?.began || handedOver;
  const looked = log !== undefined || handedOver !== undefined;
  // A pod tells how its container ended last: a next life that ends too takes the exit code away.
  const bySignal = exit ? exit.code === bySigkill : endedAfterMs !== undefined;
  if (act === 'killed' && bySignal && looked && !announced) {
    return { death: 'crashed', because };
  }
  // Where a pod goes at once, its exit code is never written: the last line of a whole shutdown stands in for it.
  const byItself = exit ? exit.code !== bySigkill : log ? log.completed : true;
  if (byItself && (log?.handedOver || handedOver)) return { death: 'controlled-shutdown', because };
  const told = act === 'deleted' || announced;
  if (told && (exit || looked)) return { death: 'terminated', because };
  return { death: 'not proven', because: ['how it ended was not seen', ...because] };
}

function sights({ exit, endedAfterMs, log, handedOver }: End): string[] {
  const facts: string[] = [];
  if (exit)
    facts.push(`the broker's container ended with exit code ${exit.code} (${exit.reason ?? 'no reason'})`);
  if (endedAfterMs !== undefined)
    facts.push(`its process was dead ${endedAfterMs} ms after SIGKILL, as seen on its node`);
  if (log) {
    const said = [
      log.signalled ? 'a signal to stop' : '',
      log.began ? 'the begin of a controlled shutdown' : '',
      log.handedOver ? 'its success' : '',
      log.completed ? 'a completed shutdown' : '',
    ].filter(Boolean);
    facts.push(`the broker's log shows ${said.length > 0 ? said.join(', ') : 'no shutdown of any kind'}`);
  }
  if (handedOver !== undefined) {
    facts.push(
      handedOver
        ? 'it gave up its part of the partition while it shut down'
        : 'it held its part of the partition until it was missed',
    );
  }
  return facts;
}
