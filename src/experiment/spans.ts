/** Epoch ms; `to` is not part of it. */
export interface TimeSpan {
  from: number;
  to: number;
}

/**
 * Spans as text, by the whole seconds that they touch: `<epoch s>-<s> <s since the last began>-<s> …`. Some six characters a span, so
 * that those of a day fit a request's address and what a run carries from one history to the next.
 */
export function packSpans(spans: readonly TimeSpan[]): string {
  let last = 0;
  return spans
    .map(({ from, to }) => {
      const start = Math.floor(from / 1_000);
      const text = `${start - last}-${Math.max(1, Math.ceil(to / 1_000) - start)}`;
      last = start;
      return text;
    })
    .join(' ');
}

/** The spans that `packSpans` made a text of, widened to whole seconds. What is no span is left out. */
export function unpackSpans(text: string): TimeSpan[] {
  let last = 0;
  return text.split(' ').flatMap((pair) => {
    const [gap = Number.NaN, length = Number.NaN] = pair.split('-').map(Number);
    if (!Number.isFinite(gap + length)) return [];
    last += gap;
    return [{ from: last * 1_000, to: (last + length) * 1_000 }];
  });
}
