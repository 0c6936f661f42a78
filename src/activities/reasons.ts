/** Why a kill may not be made now. */
export interface Held {
  reasons: string[];
  /** Epoch ms before which nothing can change that. */
  until?: number;
}

/** The most that are kept, and the most of each text: plans stand in history several times. */
const mostReasons = 10;
const mostText = 300;

/** Figures and moments, which differ from look to look, and what is counted before them. */
const figures = /(?<=\s)[\d:.,TZ-]+(?=\s|$)/g;
const counted = /: \d+ partitions? \(.*$/s;

/** Reasons for which a kill waited, with those of one more look: each kind once with its newest figures, the ten newest kinds. */
export function addReasons(before: readonly string[], more: readonly string[]): string[] {
  const byKind = new Map<string, string>();
  for (const reason of [...before, ...more]) {
    const text = reason.length > mostText ? `${reason.slice(0, mostText)}…` : reason;
    byKind.set(text.replace(counted, '').replaceAll(figures, '#'), text);
  }
  return [...byKind.values()].slice(-mostReasons);
}
