import type { ResolvedExperiment } from '../../experiment/spec.ts';

/** Broker settings by Kafka's names; what is absent was not observed. */
export type BrokerSettings = Readonly<Record<string, string | undefined>>;

/** How long the killed broker's partitions may be without a leader. */
export interface OutageBound {
  /** Undefined where the settings were not observed. */
  ms?: number;
  /** What it rests on, one fact a line. */
  because: string[];
}

/** Election and spreading of the new metadata, once the loss is known; seconds on a busy cluster, so said to be a share of it. */
const electionMs = 2_000;

/**
 * An upper bound of the time without a leader, from the brokers' own settings. A controlled shutdown hands leadership over before
 * the process ends; without it the loss is noticed when the broker's session runs out.
 */
export function outageBound(experiment: ResolvedExperiment, settings: BrokerSettings): OutageBound {
  const session = sessionOf(settings);
  const controlled = settings['controlled.shutdown.enable'] !== 'false';
  const because: string[] = [];
  if (experiment.fault.force) {
    because.push(
      'fault.force: the pod is given no time; whether the broker still hands over is a matter of luck',
    );
  } else if (controlled) {
    because.push(
      'controlled.shutdown.enable: leadership is handed over before the process ends, usually within a second',
    );
  } else {
    because.push('controlled.shutdown.enable=false: leadership is not handed over');
  }
  if (!session) return { because: [...because, 'the session time-out was not observed'] };
  because.push(`${session.name}=${session.ms}: a broker that is lost without a word is noticed after that`);
  because.push(`some ${electionMs} ms for the election and for clients to hear of it`);
  return { ms: session.ms + electionMs, because };
}

function sessionOf(settings: BrokerSettings): { name: string; ms: number } | undefined {
  const names = ['broker.session.timeout.ms', 'zookeeper.session.timeout.ms'];
  // KRaft brokers still carry ZooKeeper's setting, the other way round not.
  const name = names.find((candidate) => settings[candidate] !== undefined);
  const ms = Number(name === undefined ? Number.NaN : settings[name]);
  return name !== undefined && Number.isFinite(ms) ? { name, ms } : undefined;
}
