import Table from 'cli-table3';
import type { BrokerLoad } from './blast-radius.ts';

/** One row a broker, without borders. */
export function brokerTable(brokers: readonly BrokerLoad[]): string[] {
  const none = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
  const edges = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', left: '', right: '', middle: ' ' };
  const bottom = { bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' };
  const table = new Table({
    head: ['broker', 'pod', 'node', 'leads', 'follows', ''],
    style: { head: [], border: [], compact: true },
    chars: { ...none, ...edges, ...bottom },
  });
  for (const { id, pod = '?', node = '?', leads, follows, controller } of brokers) {
    table.push([id, pod, node, leads, follows, controller ? 'controller' : '']);
  }
  return table
    .toString()
    .split('\n')
    .map((row) => row.trimEnd());
}
