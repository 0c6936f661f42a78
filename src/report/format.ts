/** How a piece of text is meant; the caller decides on the colour. */
export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong';

/** Colours a text, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

/** No colour at all: for files. */
export const unpainted: Paint = (_tone, text) => text;

/** `412 ms`, `3.5 s`, `2 min 05 s`; a dash for what was not observed. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** `once`, `3 times`, `never` */
export function times(count: number): string {
  if (count === 0) return 'never';
  return count === 1 ? 'once' : `${count} times`;
}

/** Time of day with milliseconds, UTC, of RFC 3339 or epoch ms. */
export function clock(at: string | number): string {
  return new Date(at).toISOString().slice(11, 23);
}

/** One line without control characters: texts of clusters and pods may hold anything, escape sequences too. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
