/**
 * What this process has read of credentials, so that no text of ours repeats it: libraries, brokers and API servers put into their
 * errors what they were given. In memory alone, and of this process alone.
 */
const held = new Map<string, readonly string[]>();

/** Credentials are renewed: of so many the latest are known. */
const mostHeld = 500;

/** What is shorter stands in too many words. */
const shortest = 6;

/** What stands where a secret stood. */
const hidden = '<secret>';

/** Tokens that nobody has told us of: after `Bearer`, in an address, and those that begin as every JSON Web Token does. */
const bearer = /\b(Bearer|Basic) [\w.~+/-]{8,}=*/gi;
const login = /(\w:\/\/)[^\s/@]+@/g;
const webToken = /\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?/g;

/** From now on no text shows this value, as it is or as JSON, URLs and Secrets write it. */
export function holdSecret(value: string | undefined): void {
  const plain = value?.trim() ?? '';
  if (plain.length < shortest) return;
  held.delete(plain);
  held.set(plain, formsOf(plain));
  if (held.size <= mostHeld) return;
  const [oldest] = held.keys();
  if (oldest !== undefined) held.delete(oldest);
}

/** A text without the values that are held, and without what looks like a token. */
export function withoutSecrets(text: string): string {
  let told = text;
  for (const forms of held.values())
    for (const form of forms) if (told.includes(form)) told = told.replaceAll(form, hidden);
  return told.replace(bearer, `$1 ${hidden}`).replace(login, `$1${hidden}@`).replace(webToken, hidden);
}

function formsOf(plain: string): string[] {
  // Of a PEM a line alone is told as well; its first and last are everybody's.
  const lines = plain.includes('\n') ? plain.split('\n').filter((line) => /^[\w+/=]{16,}$/.test(line)) : [];
  // The script of the HTML report imports this file too, where there is no Buffer.
  const base64 = btoa(String.fromCharCode(...new TextEncoder().encode(plain)));
  const forms = [plain, JSON.stringify(plain).slice(1, -1), encodeURIComponent(plain), base64, ...lines];
  // The longest first, or what is left of it would show.
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}
