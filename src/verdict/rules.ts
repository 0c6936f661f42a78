import { countKills } from '../experiment/earlier-kills.ts';
import { wasCarriedOut } from '../experiment/kill-record.ts';
import type { Evidence } from '../experiment/result.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { containersOf } from './gates.ts';
import { figure, notObserved } from './words.ts';

/** What holds for every run, whatever its SLO: the fault was made, the stream was seen, it never stopped, the cluster recovered. */
export function rules(evidence: Evidence): VerdictLine[] {
  return [killsProven(evidence), streamSeen(evidence), litmusRule(evidence), isrRecovery(evidence)];
}

/** Too few kills leave the question open: they are nobody's failure. */
function killsProven(evidence: Evidence): VerdictLine {
  const { kills, minKills, plannedKills, killsElsewhere } = evidence;
  const proven = countKills(evidence, 'proven');
  const line = {
    id: 'kills',
    gate: false,
    what: 'kills proven',
    required: `≥ ${minKills} of ${plannedKills}`,
    observed: String(proven),
  } as const;
  if (proven >= minKills) {
    const because = [`the stream survived ${proven} of ${plannedKills} planned kills`];
    return { ...line, outcome: 'met', because };
  }
  const because = [`${proven} of at least ${minKills} kills proven`];
  for (const { status, index, reason } of kills) {
    if (status !== 'proven') because.push(`kill ${index + 1} ${status}: ${reason ?? 'no reason'}`);
  }
  const others = (killsElsewhere?.unproven ?? 0) + (killsElsewhere?.skipped ?? 0);
  if (others > 0) because.push(`${others} more were not proven: leaderfall report shows them all`);
  return { ...line, outcome: 'not met', leadsTo: 'Inconclusive', because };
}

function streamSeen({ stream }: Evidence): VerdictLine {
  const line = {
    id: 'stream',
    gate: false,
    what: 'the stream was observed',
    required: 'from both ends',
  } as const;
  const because: string[] = [];
  if (!stream) because.push('the stream was not observed');
  else {
    if (stream.received === 0) because.push('no record was received');
    for (const [name, end] of containersOf(stream)) {
      // What the observer alone saw is in the kills, which are counted for themselves.
      if (end.state === 'missing' && name !== 'kafka-observer')
        because.push(`container ${name} was not observed`);
    }
  }
  if (!stream || because.length > 0) {
    return { ...line, observed: notObserved, outcome: 'not observable', leadsTo: 'Inconclusive', because };
  }
  const { acked, received } = stream;
  return { ...line, observed: `${acked} acked, ${received} received`, outcome: 'met', because };
}

/** Litmus' rule: a consumer that hears nothing for its time-out is a broken stream. Here a fresh client must confirm it. */
function litmusRule({ stream, experiment }: Evidence): VerdictLine {
  const timeoutMs = experiment?.liveness.consumerTimeoutMs;
  const line = {
    id: 'litmus',
    gate: false,
    what: 'the stream never stopped',
    required: `no silence${timeoutMs === undefined ? '' : ` of ${figure(timeoutMs, 'ms')}`} at the consumer`,
  } as const;
  if (!stream) return { ...line, observed: notObserved, outcome: 'not observable', because: [] };
  const { silence } = stream;
  if (!silence) return { ...line, observed: 'it flowed', outcome: 'met', because: [] };
  const silent = figure(silence.silentMs, 'ms');
  if (silence.confirmed === 'outage') {
    const because = [
      `the stream stopped: no record for ${silent}, and a fresh client saw the outage too`,
      ...silence.evidence,
    ];
    return { ...line, observed: `silent for ${silent}`, outcome: 'not met', leadsTo: 'Fail', because };
  }
  return {
    ...line,
    observed: `silent for ${silent}, unconfirmed`,
    outcome: 'not observable',
    leadsTo: 'Inconclusive',
    because: ['the consumer was silent for too long, and no fresh client could look'],
  };
}

function isrRecovery({ isrFullAtEnd, kills, experiment }: Evidence): VerdictLine {
  const seconds = experiment?.schedule.recoveryTimeoutSeconds;
  const within = seconds === undefined ? 'in time' : `within ${seconds} s`;
  const line = {
    id: 'isr-recovery',
    gate: false,
    what: 'all replicas are in sync again',
    required: `${within} of the last kill`,
  } as const;
  if (isrFullAtEnd) {
    return { ...line, observed: 'in sync', outcome: 'met', because: ['all replicas are in sync again'] };
  }
  if (isrFullAtEnd === undefined) {
    const because = ['whether all replicas were in sync again was not observed'];
    return { ...line, observed: notObserved, outcome: 'not observable', leadsTo: 'Inconclusive', because };
  }
  // Where nobody was killed, the run has nothing to do with it.
  const acted = kills.some((kill) => wasCarriedOut(kill.act));
  const because = ['not all replicas were in sync again within the recovery time-out'];
  return {
    ...line,
    observed: 'not in sync',
    outcome: 'not met',
    leadsTo: acted ? 'Fail' : 'Inconclusive',
    because,
  };
}
