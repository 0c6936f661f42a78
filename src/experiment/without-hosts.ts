import { type Problem, problemOf } from './errors.ts';
import { withoutSecrets } from './held-secrets.ts';

/** What stands where a host stood. */
const hidden = '<host>';

const errorAt =
  /\b(ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ENOTFOUND|EAI_AGAIN) [^\s,;)"']+/g;
const clusterName = /\b[\w-]+(\.[\w-]+)*\.svc(\.[\w-]+)*(:\d{1,5})?\b/g;
const hostAndPort = /(?<![\w./@-])[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)+:\d{1,5}\b(?![\w./-])/g;
const address = /(?<![\w./@:-])\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?\b(?![\w/-])(?!\.\d)/g;
const address6 = /\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\](:\d{1,5})?/g;

/**
 * A text that may go into history, logs and reports: clients and clusters name brokers' hosts and addresses in their errors, and repeat
 * credentials. Images and URLs, which a person gave, stay. The one place where this is done.
 */
export function withoutHosts(text: string): string {
  return withoutSecrets(text)
    .replace(errorAt, `$1 ${hidden}`)
    .replace(clusterName, hidden)
    .replace(address6, hidden)
    .replace(hostAndPort, hidden)
    .replace(address, hidden);
}

/** The problem in any thrown value, fit for history. */
export function problemWithoutHosts(error: unknown, step?: string): Problem {
  const { message, evidence, next, ...rest } = problemOf(error, step);
  return {
    ...rest,
    message: withoutHosts(message),
    ...(evidence ? { evidence: evidence.map(withoutHosts) } : {}),
    ...(next ? { next: withoutHosts(next) } : {}),
  };
}

/** An error with its stack, fit for history; what caused it is left out. */
export function errorWithoutHosts(error: Error): Error {
  const told = new Error(withoutHosts(error.message));
  told.name = error.name;
  if (error.stack) told.stack = withoutHosts(error.stack);
  return told;
}
