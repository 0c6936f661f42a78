import { constants, getPriority, setPriority } from 'node:os';

/**
 * Lets this process go before others, where it may (root alone may). Proxy and observer are the instrument: in a cluster the observer
 * has CPU by its pod's request, here it shares two cores with brokers and clients. Gives it up again when asked to.
 */
export function takePrecedence(): { giveUp(): void } {
  const usual = getPriority();
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Then it is one of many, and its pauses are in the figures.
  }
  return { giveUp: () => setPriority(usual) };
}
