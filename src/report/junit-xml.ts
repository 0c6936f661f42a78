/** What a case came to; a passed one has none. */
export interface Outcome {
  element: 'failure' | 'error' | 'skipped';
  message: string;
  type?: string;
  text?: string;
}

/** One case. Seconds. */
export interface Case {
  name: string;
  time: number;
  outcome?: Outcome;
}

/** One suite as JUnit XML. `out` is what CI servers show as its output. */
export function suiteXml(suite: {
  name: string;
  /** RFC 3339 */
  startedAt: string;
  /** s */
  time: number;
  properties?: Record<string, string>;
  cases: Case[];
  out?: string;
}): string {
  const { name, startedAt, time, properties = {}, cases, out } = suite;
  const count = (element: Outcome['element']) =>
    cases.filter(({ outcome }) => outcome?.element === element).length;
  const totals = {
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    time: time.toFixed(3),
  };
  const { skipped: _, ...ofAll } = totals;
  const all = Object.entries(properties).map(([key, value]) => property(key, value));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    // Jenkins' schema knows `skipped` of a suite alone.
    `<testsuites${attributes(ofAll)}>`,
    `  <testsuite${attributes({ name: `leaderfall ${name}`, timestamp: startedAt, ...totals })}>`,
    ...(all.length > 0 ? [`    <properties>${all.join('')}</properties>`] : []),
    ...cases.map((one) => `    ${caseXml(one, name)}`),
    ...(out === undefined ? [] : [`    <system-out>${escaped(out)}</system-out>`]),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseXml({ name, time, outcome }: Case, classname: string): string {
  const open = `<testcase${attributes({ classname, name, time: time.toFixed(3) })}>`;
  if (!outcome) return `${open}</testcase>`;
  const { element, message, type, text = '' } = outcome;
  const told = attributes({ message, ...(type ? { type } : {}) });
  const inner = text ? `<${element}${told}>${escaped(text)}</${element}>` : `<${element}${told}/>`;
  return `${open}${inner}</testcase>`;
}

function property(name: string, value: string): string {
  return `<property${attributes({ name, value })}/>`;
}

function attributes(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 has no way at all to write most control characters. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
