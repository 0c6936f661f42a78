import type { Figure } from '../figure.ts';

/** What a run costs on Temporal Cloud: the server's own `action` counter, heartbeats included. */
export const temporalActions: Figure = {
  id: 'temporal-actions',
  title: 'Temporal Actions of a run, heartbeats included',
  unit: '',
  aim: 60,
  measure: ({ actions }) => {
    const total = Object.values(actions).reduce((sum, count) => sum + count, 0);
    // A run without a single Action was not counted.
    return total === 0 ? [] : [total];
  },
};

/** The part of them that depends on how long brokers take. */
export const heartbeats: Figure = {
  id: 'temporal-heartbeats',
  title: 'of these, heartbeats',
  unit: '',
  measure: ({ actions: { grpc_RecordActivityTaskHeartbeat: beats } }) => (beats === undefined ? [] : [beats]),
};
