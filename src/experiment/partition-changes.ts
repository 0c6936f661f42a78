/** What changed for the stream's partition: its leader (none: no broker), its ISR, or a broker's process that went or came. */
export interface PartitionChange {
  /** Epoch ms. */
  at: number;
  kind: 'leader' | 'isr' | 'gone' | 'back';
  brokers: number[];
}

/** What the observer saw change in a stretch of a run, beginning with how everything stood. Epoch ms, worker's clock. */
export interface PartitionChanges {
  from: number;
  to: number;
  /** As `packChanges` gives it. */
  packed: string;
}

const letters = { leader: 'l', isr: 'i', gone: 'g', back: 'b' } as const;

/** A stretch of an hour with a kill a minute has some 5 KiB; a cluster that flaps is told of until this is full. Bytes */
const mostBytes = 8_192;

/** Changes as text, `<ms since the one before><kind><brokers> …`, the first counted from `from`. What does not fit ends the stretch. */
export function packChanges(from: number, to: number, changes: readonly PartitionChange[]): PartitionChanges {
  let last = Math.round(from);
  let packed = '';
  for (const { at, kind, brokers } of changes) {
    const ms = Math.max(0, Math.round(at) - last);
    const next = `${packed === '' ? '' : ' '}${ms}${letters[kind]}${brokers.join()}`;
    if (packed.length + next.length > mostBytes) return { from: Math.round(from), to: last, packed };
    packed += next;
    last += ms;
  }
  return { from: Math.round(from), to: Math.round(to), packed };
}

/** The changes that `packChanges` made a text of. What is none is left out. */
export function unpackChanges({ from, packed }: PartitionChanges): PartitionChange[] {
  let at = from;
  return packed.split(' ').flatMap((text) => {
    const [, ms, letter, brokers = ''] = /^(\d+)([ligb])([\d,]*)$/.exec(text) ?? [];
    const kind = (Object.keys(letters) as PartitionChange['kind'][]).find((one) => letters[one] === letter);
    if (!kind) return [];
    at += Number(ms);
    return [{ at, kind, brokers: brokers === '' ? [] : brokers.split(',').map(Number) }];
  });
}
