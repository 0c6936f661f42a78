/** Text that is HTML already. Only `html` and `trusted` make it. */
export interface Html {
  readonly html: string;
}

type Value = Html | readonly Html[] | string | number | false | undefined;

/** Template tag: whatever is put in is text and is escaped, unless it is HTML itself. False and undefined are nothing. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  const filled = strings.map((string, index) => string + written(values[index]));
  return trusted(filled.join(''));
}

/** Text as HTML, unescaped: own constants only. */
export function trusted(text: string): Html {
  return { html: text };
}

function written(value: Value): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'object') return 'html' in value ? value.html : value.map((one) => one.html).join('');
  // Texts of clusters and pods may hold anything, escape sequences too.
  return String(value)
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
