import type { Figure } from '../figure.ts';

/** What a run costs on Temporal Cloud: the server's own `action` counter, heartbeats included. */
export const temporalActions: Figure = {
  id: 'temporal-actions',
  title: 'Temporal Actions of a run, heartbeats included',
  unit: '',
  aim: 60,
  measure: ({ actions }) => [Object.values(actions).reduce((sum, count) => sum + count, 0)],
};

/** The part of them that depends on how long brokers take. */
export const heartbeats: Figure = {
  id: 'temporal-heartbeats',
  title: 'of these, heartbeats',
  unit: '',
  measure: ({ actions }) => [actions.grpc_RecordActivityTaskHeartbeat ?? 0],
};
