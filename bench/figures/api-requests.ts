import type { Figure } from '../figure.ts';

/** Requests that the worker sent to the API server, rights checks, port-forwards and watches included. */
export const apiRequests: Figure = {
  id: 'api-requests',
  title: 'requests of the worker to the API server in a run',
  unit: '',
  litmus: '63–135',
  measure: ({ requests }) => [Object.values(requests).reduce((sum, count) => sum + count, 0)],
};
