/** How far a broker's own log says that it came with its shutdown. */
export interface ShutdownLog {
  /** It was told to stop by a signal that it can hear. */
  signalled: boolean;
  /** It asked the controller to take its leaderships. */
  began: boolean;
  /** The controller did. */
  handedOver: boolean;
  /** It ended by itself. */
  completed: boolean;
}

/** What brokers say: Kafka's LoggingSignalHandler; KafkaServer (ZooKeeper); BrokerServer and BrokerLifecycleManager (KRaft). */
const says: Record<keyof ShutdownLog, RegExp> = {
  signalled: /Terminating process due to signal/,
  began: /(starting|beginning) controlled shutdown/i,
  handedOver: /controlled shutdown succeeded|asked us to exit controlled shutdown/i,
  completed: /(Server|Broker)\b.*shut down completed/i,
};

/** A log that says nothing of a shutdown. */
export function silentLog(): ShutdownLog {
  return { signalled: false, began: false, handedOver: false, completed: false };
}

/** Reads one line. */
export function readLine(log: ShutdownLog, line: string): void {
  for (const [fact, words] of Object.entries(says)) {
    if (words.test(line)) log[fact as keyof ShutdownLog] = true;
  }
}
