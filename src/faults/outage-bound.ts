import type { Death, OutageBound } from '../experiment/kill-record.ts';

/** Broker settings by Kafka's names; what is absent was not observed. */
export type BrokerSettings = Readonly<Record<string, string | undefined>>;

/** How a broker dies, and what it was to the partition that is looked at. */
export interface Dying {
  death: Death;
  /** Given between SIGTERM and SIGKILL, s. */
  graceSeconds: number;
  role: 'leader' | 'follower';
  controller: boolean;
}

/** Election of a leader, or of a controller, and the spreading of the news; an allowance, not a setting. ms */
const electionMs = 2_000;

/** What a node gives a process whose pod was deleted with no grace (kubelet's minimumGracePeriodInSeconds). s */
const leastGraceSeconds = 2;

/** A follower is looked at each half of replica.lag.time.max.ms, so it leaves the ISR after one and a half (Kafka's ReplicaManager). */
const lagChecks = 1.5;

/**
 * How long the partition may be unavailable for acks=all, by the brokers' own settings.
 *
 * - controlled-shutdown: leadership is handed over while the broker lives: an election.
 * - terminated: it may have stopped serving at SIGTERM, and is missed when its session runs out after SIGKILL: grace + session + election.
 * - crashed: it is missed when its session runs out: session + election.
 *
 * A follower holds up its leader until it leaves the ISR, by its session or by its lag, whichever comes first. The controller has to
 * be replaced before anything else. A death that is not known is bounded by the worst.
 */
export function outageBound(dying: Dying, settings: BrokerSettings): OutageBound {
  const because: string[] = [];
  let ms: number | undefined = electionMs;
  if (dying.death === 'controlled-shutdown') {
    because.push('controlled shutdown: leadership is handed over before the process ends');
  } else ms = unannounced(dying, settings, because);
  because.push(`some ${electionMs} ms for the election and for clients to hear of it`);
  if (dying.controller) {
    because.push(`it is the controller: another ${electionMs} ms for the election of the next one`);
    ms = ms === undefined ? undefined : ms + electionMs;
  }
  return { ...(ms === undefined ? {} : { ms }), because };
}

/** A death without a word: the time until it is missed, and the election. */
function unannounced(dying: Dying, settings: BrokerSettings, because: string[]): number | undefined {
  const crashed = dying.death === 'crashed';
  const graceSeconds = crashed ? 0 : Math.max(leastGraceSeconds, dying.graceSeconds);
  if (crashed) because.push('SIGKILL: nothing is handed over');
  else because.push(`a grace of ${graceSeconds} s from SIGTERM to SIGKILL, in which it may serve no more`);
  const session = sessionOf(settings);
  if (session) because.push(`${session.name}=${session.ms}: a broker that is lost is missed after that`);
  else because.push('the session time-out was not observed');
  const missedMs = session && graceSeconds * 1_000 + session.ms;
  if (dying.role === 'leader') return missedMs === undefined ? undefined : missedMs + electionMs;
  const lag = Number(settings['replica.lag.time.max.ms']);
  if (!Number.isFinite(lag)) return missedMs === undefined ? undefined : missedMs + electionMs;
  because.push(
    `replica.lag.time.max.ms=${lag}: a follower that does not fetch is dropped within ${lagChecks} of it`,
  );
  return Math.min(missedMs ?? Number.POSITIVE_INFINITY, lagChecks * lag) + electionMs;
}

function sessionOf(settings: BrokerSettings): { name: string; ms: number } | undefined {
  const names = ['broker.session.timeout.ms', 'zookeeper.session.timeout.ms'];
  // KRaft brokers still carry ZooKeeper's setting, the other way round not.
  const name = names.find((candidate) => settings[candidate] !== undefined);
  const ms = Number(name === undefined ? Number.NaN : settings[name]);
  return name !== undefined && Number.isFinite(ms) ? { name, ms } : undefined;
}
