import { describe, expect, it } from 'vitest';
import { deathOf, type End } from '../../src/faults/death.ts';
import { readLine, silentLog } from '../../src/faults/shutdown-log.ts';

const log = (change: object = {}) => ({ ...silentLog(), ...change });
const whole = log({ signalled: true, began: true, handedOver: true, completed: true });
const hurried = log({ signalled: true, began: true, handedOver: true });
const deleted = { act: 'deleted', gone: true } as const;
const killed = { act: 'killed', gone: true } as const;
const sigterm = { code: 143, reason: 'Error' };
const sigkill = { code: 137, reason: 'Error' };

describe('a death', () => {
  it.each<[string, End, string]>([
    ['handed over and ended by itself', { ...deleted, exit: sigterm, log: whole }, 'controlled-shutdown'],
    [
      'the same by the metadata alone',
      { ...deleted, exit: sigterm, handedOver: true },
      'controlled-shutdown',
    ],
    [
      'the same of a pod without an exit code',
      { ...deleted, log: whole, handedOver: true },
      'controlled-shutdown',
    ],
    ['the same with nothing but metadata', { ...deleted, handedOver: true }, 'controlled-shutdown'],
    [
      'SIGKILL when the grace was over',
      { ...deleted, exit: sigkill, log: hurried, handedOver: true },
      'terminated',
    ],
    [
      'a forced end in the middle of its shutdown',
      { ...deleted, log: hurried, handedOver: true },
      'terminated',
    ],
    [
      'SIGTERM and no handing over',
      { ...deleted, exit: sigterm, log: log({ signalled: true }) },
      'terminated',
    ],
    ['gone with its leadership', { ...deleted, handedOver: false }, 'terminated'],
    ['SIGKILL and not a word in its log', { ...killed, exit: sigkill, log: log() }, 'crashed'],
    ['SIGKILL and leadership held to the end', { ...killed, exit: sigkill, handedOver: false }, 'crashed'],
    [
      'SIGKILL, a SIGTERM in the log',
      { ...killed, exit: sigkill, log: log({ signalled: true }) },
      'terminated',
    ],
    [
      'SIGKILL, leadership given up',
      { ...killed, exit: sigkill, log: log(), handedOver: true },
      'terminated',
    ],
    ['ended by itself before our SIGKILL', { ...killed, exit: sigterm, log: whole }, 'controlled-shutdown'],
    ['SIGKILL and nobody looked', { ...killed, exit: sigkill }, 'not proven'],
    ['killed, no exit code', { ...killed, log: log(), handedOver: false }, 'not proven'],
    [
      'killed and seen dead from its node, its exit code taken by the next life’s',
      { ...killed, endedAfterMs: 12, handedOver: false },
      'crashed',
    ],
    [
      'the same, leadership given up',
      { ...killed, endedAfterMs: 12, handedOver: true },
      'controlled-shutdown',
    ],
    ['the same, nobody looked', { ...killed, endedAfterMs: 12 }, 'not proven'],
    [
      'seen dead from its node, by another exit code',
      { ...killed, endedAfterMs: 12, exit: { code: 1 }, log: log() },
      'not proven',
    ],
    ['killed, another exit code, no word', { ...killed, exit: { code: 1 }, log: log() }, 'not proven'],
    ['deleted and nobody looked', deleted, 'not proven'],
    ['still there', { act: 'deleted', gone: false, log: hurried, handedOver: true }, 'not proven'],
  ])('%s', (_, end, death) => {
    expect(deathOf(end).death).toBe(death);
  });

  it('says what it rests on', () => {
    const { because } = deathOf({ ...killed, exit: sigkill, log: log(), handedOver: false });
    expect(because).toEqual([
      "the broker's container ended with exit code 137 (Error)",
      "the broker's log shows no shutdown of any kind",
      'it held its part of the partition until it was missed',
    ]);
  });
});

describe('the log of a broker', () => {
  const read = (...lines: string[]) => {
    const found = silentLog();
    for (const line of lines) readLine(found, line);
    return found;
  };

  it('tells a whole shutdown, with ZooKeeper', () => {
    expect(
      read(
        '[2026-01-01 10:00:00,001] INFO Terminating process due to signal SIGTERM (org.apache.kafka.common.utils.LoggingSignalHandler)',
        '[2026-01-01 10:00:00,002] INFO [KafkaServer id=1] shutting down (kafka.server.KafkaServer)',
        '[2026-01-01 10:00:00,003] INFO [KafkaServer id=1] Starting controlled shutdown (kafka.server.KafkaServer)',
        '[2026-01-01 10:00:01,004] INFO [KafkaServer id=1] Controlled shutdown succeeded (kafka.server.KafkaServer)',
        '[2026-01-01 10:00:02,005] INFO [KafkaServer id=1] shut down completed (kafka.server.KafkaServer)',
      ),
    ).toEqual(whole);
  });

  it('tells a whole shutdown, with KRaft', () => {
    expect(
      read(
        '[2026-01-01 10:00:00,001] INFO Terminating process due to signal SIGTERM (org.apache.kafka.common.utils.LoggingSignalHandler)',
        '[2026-01-01 10:00:00,002] INFO [BrokerLifecycleManager id=1] Beginning controlled shutdown. (kafka.server.BrokerLifecycleManager)',
        '[2026-01-01 10:00:01,003] INFO [BrokerLifecycleManager id=1] The controller has asked us to exit controlled shutdown. (kafka.server.BrokerLifecycleManager)',
        '[2026-01-01 10:00:02,004] INFO [BrokerServer id=1] shut down completed (kafka.server.BrokerServer)',
      ),
    ).toEqual(whole);
  });

  it('tells one that did not come to its end, and takes nothing else for a shutdown', () => {
    expect(
      read(
        'INFO [KafkaServer id=1] Starting controlled shutdown (kafka.server.KafkaServer)',
        'WARN [KafkaServer id=1] Retrying controlled shutdown after the previous attempt failed... (kafka.server.KafkaServer)',
      ),
    ).toEqual(log({ began: true }));
    expect(
      read(
        'INFO [SocketServer brokerId=1] Stopped socket server request processors (kafka.network.SocketServer)',
        'INFO [ThrottledChannelReaper-Fetch]: Shutdown completed (kafka.server.ClientQuotaManager)',
        'INFO [Controller id=1] Shutting down broker 2 (kafka.controller.KafkaController)',
      ),
    ).toEqual(silentLog());
  });
});
