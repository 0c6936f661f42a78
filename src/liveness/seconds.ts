/** What was recorded of one second, or a part of it. */
export interface Second {
  /** Epoch s. */
  second: number;
  sent: number;
  done: number;
  /** Calls back with each latency, ms, and how many records had it. */
  eachLatency(visit: (latency: number, count: number) => void): void;
}

/** A record by the second that may go on for a day in bounded memory. */
export interface Seconds {
  sent(second: number, count: number): void;
  done(second: number, count: number): void;
  /** `count` records that were due in that second had this latency, whole ms. */
  latency(second: number, ms: number, count: number): void;
  /** Everything, in the order of time; one second may come in several parts. */
  parts(): Second[];
  /** Everything as numbers, for `secondsFrom`. */
  pack(): Uint32Array[];
}

/** A second that is still counted in: latencies of one second are few different whole numbers. */
interface Fresh {
  sent: number;
  done: number;
  latencies: Map<number, number>;
}

/** Seconds older than this take next to no more records. */
const freshSeconds = 120;

/** So many different latencies are kept of a second that is not fresh any more. */
export const maxLatencies = 64;

/** Numbers in one block of memory; a second never reaches from one into the next. */
const blockLength = 1 << 16;

/** Before the latencies of a packed second: the second, sent, done, and how many latencies follow. */
const headLength = 4;

/**
 * Keeps seconds that are over as numbers, at most half a KiB each: four, and two for each different latency. A Map of each of them
 * would fill the container's memory in a day.
 */
export function newSeconds(): Seconds {
  return secondsFrom([]);
}

/** The record of `pack`, its blocks one by one or put together; it may go on. */
export function secondsFrom(blocks: Uint32Array[]): Seconds {
  const packed = blocks.flatMap(split);
  const fresh = new Map<number, Fresh>();
  let newest = 0;
  let used = blockLength;

  function at(second: number): Fresh {
    let found = fresh.get(second);
    if (!found) {
      newest = Math.max(newest, second);
      for (const old of fresh.keys()) if (old < newest - freshSeconds) packOne(old);
      found = { sent: 0, done: 0, latencies: new Map() };
      fresh.set(second, found);
    }
    return found;
  }

  function packOne(second: number): void {
    const { sent = 0, done = 0, latencies = [] } = fresh.get(second) ?? {};
    fresh.delete(second);
    const kept = fewer([...latencies].sort(([a], [b]) => a - b));
    const numbers = [second, sent, done, kept.length, ...kept.flat()];
    if (used + numbers.length > blockLength) {
      packed.push(new Uint32Array(blockLength));
      used = 0;
    }
    packed.at(-1)?.set(numbers, used);
    used += numbers.length;
  }

  return {
    sent: (second, count) => {
      at(second).sent += count;
    },
    done: (second, count) => {
      at(second).done += count;
    },
    latency: (second, ms, count) => {
      const { latencies } = at(second);
      latencies.set(ms, (latencies.get(ms) ?? 0) + count);
    },
    parts: () => {
      const all = packed.flatMap(partsOf);
      for (const [second, { sent, done, latencies }] of fresh) {
        const eachLatency: Second['eachLatency'] = (visit) => {
          for (const [latency, count] of latencies) visit(latency, count);
        };
        all.push({ second, sent, done, eachLatency });
      }
      return all.sort((a, b) => a.second - b.second);
    },
    pack: () => {
      for (const second of fresh.keys()) packOne(second);
      return packed;
    },
  };
}

function split(block: Uint32Array): Uint32Array[] {
  const count = Math.ceil(block.length / blockLength);
  return Array.from({ length: count }, (_, index) =>
    block.subarray(index * blockLength, (index + 1) * blockLength),
  );
}

function partsOf(block: Uint32Array): Second[] {
  const parts: Second[] = [];
  const number = (at: number) => block[at] ?? 0;
  for (let from = 0; from < block.length && number(from) > 0; ) {
    const first = from + headLength;
    const end = first + 2 * number(from + 3);
    parts.push({
      ...{ second: number(from), sent: number(from + 1), done: number(from + 2) },
      eachLatency: (visit) => {
        for (let at = first; at < end; at += 2) visit(number(at), number(at + 1));
      },
    });
    from = end;
  }
  return parts;
}

/** Where there are too many, neighbours count as the longer of both; the shortest and the longest of all stay what they are. */
function fewer(latencies: [number, number][]): [number, number][] {
  if (latencies.length <= maxLatencies) return latencies;
  const [shortest, ...others] = latencies;
  const merged = others
    .reverse()
    .flatMap(([latency, count], index, all): [number, number][] =>
      index % 2 === 1 ? [] : [[latency, count + (all[index + 1]?.[1] ?? 0)]],
    )
    .reverse();
  return fewer(shortest ? [shortest, ...merged] : merged);
}
