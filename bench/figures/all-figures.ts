import type { Figure } from '../figure.ts';
import { apiRequests } from './api-requests.ts';
import { falseVerdicts } from './false-verdicts.ts';
import { firstKill, wholeFirstKill } from './first-kill.ts';
import { guardedKillDelay, guardWait, killDelaySaid, killDelaySeen } from './kill-delay.ts';
import { ledgerFigures } from './ledger.ts';
import { heartbeats, temporalActions } from './temporal-actions.ts';
import { lastKillToEnd, lastRecoveryToEnd, lastRecoveryToVerdict } from './verdict.ts';
import { workerMemory } from './worker-memory.ts';

/** In the order of the table. False verdicts are summed over the runs, not averaged. */
export const allFigures: Figure[] = [
  firstKill,
  wholeFirstKill,
  lastRecoveryToVerdict,
  lastRecoveryToEnd,
  lastKillToEnd,
  killDelaySeen,
  killDelaySaid,
  guardWait,
  guardedKillDelay,
  temporalActions,
  heartbeats,
  apiRequests,
  workerMemory,
  ...ledgerFigures,
  falseVerdicts,
];
