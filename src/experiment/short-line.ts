/** Temporal’s own limit of a summary is 400 bytes, its encoding included. */
const mostBytes = 300;

const bytesOf = (text: string) => new TextEncoder().encode(JSON.stringify(text)).length;

/** One line that Temporal takes as a summary: a text that is too long for that ends with `…`. */
export function shortLine(text: string): string {
  const line = text.replaceAll('\n', ' ');
  if (bytesOf(line) <= mostBytes) return line;
  const letters = [...line].slice(0, mostBytes);
  while (bytesOf(`${letters.join('')}…`) > mostBytes) letters.pop();
  return `${letters.join('')}…`;
}
