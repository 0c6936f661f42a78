import { type BrokerConnection, brokerConnection } from './broker-connection.ts';
import {
  decodeFetchResponse,
  encodeFetchRequest,
  type FetchAnswer,
  type RecordBatch,
} from './fetch-protocol.ts';
import { splitAddress } from './metadata-pool.ts';
import type { Dial } from './port.ts';

/** How long a leader may wait for records before it answers that there are none. ms */
const maxWaitMs = 100;

/** A leader that answers this much later than it should is doubted, and everybody is asked. ms */
const doubtMs = 50;

/**
 * A leader that has given everything is asked again after this: by each record as it comes, a stream of 100 a second would be 100
 * requests. ms
 */
const idleRestMs = 25;

/** Nor is one that has given much left alone for longer: what it shows would be known too late. ms */
const longestRestMs = 250;

/** While there is no leader, or it is doubted, brokers are asked this often. ms */
const searchMs = 10;

/** A leader that gives nothing for this long may be one that does not know yet that it is none: the others are asked beside it. ms */
const idleMs = 1_000;

/** A connection that is not there by then is tried anew, and so is one whose broker has answered nothing for this long. ms */
const dialMs = 500;
const deadMs = 1_000;

/** Most that one answer holds, where its share does not allow less; a broker gives one batch at least. Bytes */
const mostBytes = 1_048_576;

/** The log is shorter than what was read of it. */
const offsetOutOfRange = 1;

/** Records that were given together. */
export interface Progress {
  /** Below the high watermark, all of them. */
  records: number;
  /** Offset behind the last of them. */
  next: number;
  /** Records that will not be read, since it was told last: the stream is faster than this reader may be. */
  leftOut: number;
  highWatermark: number;
  /** host:port of the broker that gave them. */
  address: string;
}

/** A reader without a group. */
export interface PartitionReader {
  /** Offset that is read next. */
  readonly position: number;
  /** The partition has a leader that answers in time. */
  readonly served: boolean;
  close(): void;
}

/** Whom to read, and what to do with it. */
export interface PartitionReaderOptions {
  /** host:port of every broker. */
  addresses: string[];
  topic: string;
  partition: number;
  clientId: string;
  dial: Dial;
  /** About so much is asked for; of a faster stream the rest is left out, more than a rest's worth at a time. */
  bytesPerSecond: number;
  onRecords: (progress: Progress) => void;
  /** Another broker serves the partition than before, so long after the last answer of the one before, ms; 0 for the first. */
  onLeader: (address: string, switchMs: number) => void;
  /** The log ended before the position: reading begins again at its start. */
  onTruncated?: (position: number) => void;
}

interface Target {
  address: string;
  connection?: BrokerConnection;
  dialling?: AbortController;
  /** When it was asked what it has not answered yet; undefined: nothing. By the monotonic clock. */
  askedAt?: number;
  /** It has given everything, and is left alone until then. */
  restsUntil?: number;
}

/**
 * Reads one partition from its beginning straight from its leader, on connections of its own. It needs no metadata: whoever gives
 * records is the leader, and as soon as that one refuses, goes or falls silent all brokers are asked at once. A broker gives a client
 * nothing above the high watermark, and what it should give all the same is left. It keeps to its share of bytes, so that it costs a fast
 * stream next to nothing.
 */
export function readPartition(options: PartitionReaderOptions): PartitionReader {
  const { addresses, topic, partition, clientId, dial, bytesPerSecond } = options;
  const targets: Target[] = addresses.map((address) => ({ address }));
  const now = () => performance.now();
  const aRestsWorth = (bytesPerSecond * longestRestMs) / 1_000;
  const maxBytes = Math.ceil(Math.min(mostBytes, aRestsWorth));
  let position = 0;
  let counted = 0;
  let leftOut = 0;
  /** The high watermark that the leader told last. */
  let leaderEnd = 0;
  let leader: Target | undefined;
  let former: string | undefined;
  let servedAt = now();
  let gaveAt = now();
  let closed = false;

  function look(): void {
    const at = now();
    const idle = at - gaveAt > idleMs;
    if (idle) gaveAt = at;
    const everybody = idle || !isServed(at);
    for (const target of targets) {
      if (target.askedAt !== undefined && at - target.askedAt > deadMs) target.connection?.close();
      if (everybody || (target === leader && at >= (target.restsUntil ?? 0))) ask(target);
    }
  }

  /** There is a leader, and it answers in time. */
  function isServed(at: number): boolean {
    return leader !== undefined && at - (leader.askedAt ?? at) <= maxWaitMs + doubtMs;
  }

  function ask(target: Target): void {
    const { connection } = target;
    if (!connection?.open) {
      connect(target);
      return;
    }
    if (target.askedAt !== undefined) return;
    target.askedAt = now();
    const request = {
      ...{ clientId, topic, partition, maxBytes },
      offset: position,
      maxWaitMs: target === leader ? maxWaitMs : 0,
    };
    connection.send((id) => encodeFetchRequest(request, id), {
      answered(frame) {
        target.askedAt = undefined;
        answered(target, request.offset, decodeFetchResponse(frame));
      },
      ended: () => {},
    });
  }

  function connect(target: Target): void {
    if (target.dialling) return;
    const { host, port } = splitAddress(target.address);
    const giveUp = new AbortController();
    target.dialling = giveUp;
    const timer = setTimeout(() => giveUp.abort(), dialMs + (dial.handshakeMs ?? 0));
    dial(host, port, giveUp.signal)
      .then(
        (socket) => {
          if (closed) return void socket.destroy();
          target.connection = brokerConnection(socket, () => ended(target));
          ask(target);
        },
        () => {},
      )
      .finally(() => {
        clearTimeout(timer);
        target.dialling = undefined;
      });
  }

  function ended(target: Target): void {
    target.connection = undefined;
    target.askedAt = undefined;
    if (target !== leader) return;
    leader = undefined;
    if (!closed) look();
  }

  function answered(target: Target, asked: number, answer: FetchAnswer): void {
    if (closed) return;
    const served = answer.error === 0 || answer.error === offsetOutOfRange;
    // A broker that has lost the lead may not know it: who has more to give than the present leader is the leader.
    const hasMore = answer.highWatermark > Math.max(position, leaderEnd);
    if (served && (target === leader || !isServed(now()) || hasMore)) serve(target);
    if (served && target === leader) leaderEnd = answer.highWatermark;
    const lost = !served && target === leader;
    if (lost) leader = undefined;
    // What came meanwhile from another broker is not taken twice.
    if (asked === position && target === leader) take(target, answer);
    if (target === leader) {
      const restMs = restAfter(answer);
      target.restsUntil = now() + restMs;
      if (restMs === 0) ask(target);
    } else if (lost) look();
  }

  /** A moment where there is nothing left, and as long as what was given is worth. ms */
  function restAfter({ highWatermark, batches }: FetchAnswer): number {
    const shareMs = Math.min((bytesOf(batches) * 1_000) / bytesPerSecond, longestRestMs);
    // Shorter than the time to the next look it would only be made longer by it.
    if (highWatermark > position) return shareMs < searchMs ? 0 : shareMs;
    return Math.max(idleRestMs, shareMs);
  }

  function serve(target: Target): void {
    if (target.address !== former) {
      options.onLeader(target.address, former === undefined ? 0 : now() - servedAt);
    }
    former = target.address;
    leader = target;
    servedAt = now();
  }

  function take(target: Target, { error, batches, highWatermark }: FetchAnswer): void {
    if (error === offsetOutOfRange) {
      options.onTruncated?.(position);
      position = 0;
      return;
    }
    let records = 0;
    for (const batch of batches) {
      if (batch.next <= position) continue;
      if (batch.next > highWatermark) break;
      if (batch.next > counted) records += batch.records;
      position = batch.next;
    }
    const next = position;
    position += tooMany(batches, highWatermark - next);
    leftOut += Math.max(0, position - Math.max(counted, next));
    counted = Math.max(counted, position);
    if (records === 0) return;
    gaveAt = now();
    options.onRecords({ records, next, leftOut, highWatermark, address: target.address });
    leftOut = 0;
  }

  /** So many wait, where they are more than a rest's worth, else none. */
  function tooMany(batches: RecordBatch[], waiting: number): number {
    const offsets = batches.reduce((sum, { from, next }) => sum + next - from, 0);
    return offsets > 0 && (bytesOf(batches) / offsets) * waiting > aRestsWorth ? waiting : 0;
  }

  const timer = setInterval(look, searchMs);
  look();
  return {
    get position() {
      return position;
    },
    get served() {
      return isServed(now());
    },
    close() {
      closed = true;
      clearInterval(timer);
      for (const { connection, dialling } of targets) {
        dialling?.abort();
        connection?.close();
      }
    },
  };
}

function bytesOf(batches: RecordBatch[]): number {
  return batches.reduce((sum, { bytes }) => sum + bytes, 0);
}
