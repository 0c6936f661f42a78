/**
 * Where each record of one producer in one partition is: sequence number → offset. Sequences that lie at consecutive offsets are
 * one run of eight bytes, so that a batch costs eight bytes at most and a stream without faults costs eight bytes in all.
 */
export interface SequenceMap {
  /** Runs in use. */
  length: number;
  /** One past the highest sequence that was placed. */
  end: number;
  /** First sequence of each run; a run ends where the next begins, the last one at `end`. */
  starts: Uint32Array;
  /** Offset of the run's first sequence, or one of the three values below. */
  places: Uint32Array;
}

/** In no place: not sent, or not read. */
export const nowhere = 0xffffffff;

/** The send had no outcome. */
export const unknown = 0xfffffffe;

/** Acknowledged without saying where: acks=0. */
export const unplaced = 0xfffffffd;

/** An empty map. */
export function newSequenceMap(): SequenceMap {
  return { length: 0, end: 0, starts: new Uint32Array(0), places: new Uint32Array(0) };
}

/** Bytes of the map's arrays. */
export function bytesOf({ starts, places }: SequenceMap): number {
  return starts.byteLength + places.byteLength;
}

/**
 * Puts `count` sequences from `first` at `place` and the offsets after it, in constant time behind the last one. Throws RangeError
 * beyond 2³² - 4 records or offsets.
 */
export function put(map: SequenceMap, first: number, count: number, place: number): void {
  if (first + count > unplaced || (place < unplaced && place + count > unplaced)) {
    throw new RangeError(`a ledger holds ${unplaced} records of a partition, not more`);
  }
  if (first >= map.end) {
    if (first > map.end) append(map, map.end, nowhere);
    append(map, first, place);
    map.end = first + count;
    return;
  }
  const from = split(map, first);
  const to = first + count >= map.end ? map.length : split(map, first + count);
  map.end = Math.max(map.end, first + count);
  map.starts[from] = first;
  map.places[from] = place;
  remove(map, from + 1, to);
  if (from + 1 < map.length && goesOn(map, from, map.starts[from + 1] ?? 0, map.places[from + 1] ?? 0)) {
    remove(map, from + 1, from + 2);
  }
  if (from > 0 && goesOn(map, from - 1, first, place)) remove(map, from, from + 1);
}

/** Where a sequence is. */
export function placeOf(map: SequenceMap, sequence: number): number {
  return sequence < map.end ? placeIn(map, runAt(map, sequence), sequence) : nowhere;
}

/** Calls back with each run: first sequence, number of sequences, place of the first. */
export function eachRun(
  map: SequenceMap,
  visit: (first: number, count: number, place: number) => void,
  from = 0,
  to = map.end,
): void {
  if (from >= Math.min(to, map.end)) return;
  for (let run = runAt(map, from); run < map.length; run++) {
    const start = Math.max(from, map.starts[run] ?? 0);
    const end = Math.min(to, run + 1 < map.length ? (map.starts[run + 1] ?? 0) : map.end);
    if (start >= to) return;
    visit(start, end - start, placeIn(map, run, start));
  }
}

function placeIn(map: SequenceMap, run: number, sequence: number): number {
  const place = map.places[run] ?? nowhere;
  return place >= unplaced ? place : place + sequence - (map.starts[run] ?? 0);
}

/** The run that holds a sequence below `end`. */
function runAt({ starts, length }: SequenceMap, sequence: number): number {
  let low = 0;
  let high = length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] ?? 0) <= sequence) low = middle;
    else high = middle - 1;
  }
  return low;
}

function goesOn(map: SequenceMap, run: number, sequence: number, place: number): boolean {
  return placeIn(map, run, sequence) === place;
}

function append(map: SequenceMap, start: number, place: number): void {
  const last = map.length - 1;
  if (last >= 0 && goesOn(map, last, start, place)) return;
  insert(map, map.length, start, place);
}

/** Makes a run begin at a sequence below `end`; gives its index. */
function split(map: SequenceMap, sequence: number): number {
  const run = runAt(map, sequence);
  if (map.starts[run] === sequence) return run;
  insert(map, run + 1, sequence, placeIn(map, run, sequence));
  return run + 1;
}

function insert(map: SequenceMap, at: number, start: number, place: number): void {
  if (map.length === map.starts.length) grow(map);
  map.starts.copyWithin(at + 1, at, map.length);
  map.places.copyWithin(at + 1, at, map.length);
  map.starts[at] = start;
  map.places[at] = place;
  map.length++;
}

function remove(map: SequenceMap, from: number, to: number): void {
  if (to <= from) return;
  map.starts.copyWithin(from, to, map.length);
  map.places.copyWithin(from, to, map.length);
  map.length -= to - from;
}

/** By little at a time: doubling would take twice the memory that is promised, and copying is cheap. */
function grow(map: SequenceMap): void {
  const capacity = map.length + 8 + (map.length >>> 7);
  const larger = (from: Uint32Array) => {
    const to = new Uint32Array(capacity);
    to.set(from);
    return to;
  };
  map.starts = larger(map.starts);
  map.places = larger(map.places);
}

/** A map as JSON: its arrays as base64 of little-endian numbers: a million runs as digits would need ten times the memory. */
export interface SequenceRuns {
  end: number;
  starts: string;
  places: string;
}

/** For the way between containers. */
export function toRuns({ length, end, starts, places }: SequenceMap): SequenceRuns {
  const encoded = ({ buffer }: Uint32Array) => Buffer.from(buffer, 0, length * 4).toString('base64');
  return { end, starts: encoded(starts), places: encoded(places) };
}

/** The map of `toRuns`. */
export function fromRuns({ end, starts, places }: SequenceRuns): SequenceMap {
  const decoded = (text: string) => new Uint32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);
  const map = { end, starts: decoded(starts), places: decoded(places) };
  return { length: map.starts.length, ...map };
}
