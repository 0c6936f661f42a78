import { readFileSync } from 'node:fs';
import { setting } from '../../test/support/testbed.ts';

interface AuditLine {
  auditID: string;
  verb: string;
  user: { username: string };
  requestReceivedTimestamp: string;
  requestURI: string;
  objectRef?: { resource?: string; subresource?: string };
}

/**
 * Requests of one user that arrived between two epoch ms, counted by `verb resource[/subresource]`. A request that lasts (watch,
 * port-forward) has a line when it starts and one when it ends, and counts once.
 */
export function requestsOf(username: string, from: number, to: number): Record<string, number> {
  const counted = new Set<string>();
  const counts: Record<string, number> = {};
  for (const text of readFileSync(setting('TESTBED_AUDIT_LOG'), 'utf8').split('\n')) {
    if (!text.includes(username)) continue;
    const line = JSON.parse(text) as AuditLine;
    const at = Date.parse(line.requestReceivedTimestamp);
    if (line.user.username !== username || at < from || at > to || counted.has(line.auditID)) continue;
    counted.add(line.auditID);
    const { resource, subresource } = line.objectRef ?? {};
    const what = resource ? `${resource}${subresource ? `/${subresource}` : ''}` : line.requestURI;
    const key = `${line.verb} ${what}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
