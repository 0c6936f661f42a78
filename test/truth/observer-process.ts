import type { Dial } from '../../src/kafka/port.ts';
import { dialDirect } from '../../src/kafka/reach.ts';
import { startObserver } from '../../src/liveness/observer.ts';
import { observerSettings } from './observer-settings.ts';
import { watchPauses } from './pauses.ts';
import { takePrecedence } from './precedence.ts';
import { answerParent, epochNow, type Observed, type ObserverRequest } from './protocol.ts';

/** A process of its own, as in the pod: what else the rig does, and the memory that it keeps, is none of the observer's. */
takePrecedence();
const own = watchPauses('observer');
let observed = (): Observed => {
  throw new Error('not started');
};

answerParent<ObserverRequest>(async (request) => {
  if (request.what === 'observed') return observed();
  const { topic, bootstrap, ports, stepMs } = request;
  const dial: Dial = (host, port, giveUp) => dialDirect('127.0.0.1', ports[`${host}:${port}`] ?? 0, giveUp);
  const observer = startObserver({ ...observerSettings, bootstrap, topic, probeStepMs: stepMs, dial });
  const cpu = { used: process.cpuUsage(), at: epochNow() };
  observed = () => {
    const { user, system } = process.cpuUsage(cpu.used);
    const { outages = [], probes } = observer.report(0);
    const cpuShare = (user + system) / 1_000 / (epochNow() - cpu.at);
    return { outages, probes, cpuShare, pauses: own.pauses };
  };
  return undefined;
});
