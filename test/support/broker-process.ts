import { readdirSync, readFileSync } from 'node:fs';

/**
 * Id of a broker's process as this machine sees it, since the testbed's nodes are network namespaces on it: found by the pod's host
 * name in the process's own environment.
 */
export function brokerProcess(pod: string): number {
  const found = readdirSync('/proc').filter((id) => /^\d+$/.test(id) && isBrokerOf(id, pod));
  if (found.length !== 1) throw new Error(`broker processes of pod ${pod}: ${found.join(', ') || 'none'}`);
  return Number(found[0]);
}

function isBrokerOf(id: string, pod: string): boolean {
  try {
    if (!readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0').includes('kafka.Kafka')) return false;
    return readFileSync(`/proc/${id}/environ`, 'utf8').split('\0').includes(`HOSTNAME=${pod}`);
  } catch {
    // It has ended meanwhile.
    return false;
  }
}
