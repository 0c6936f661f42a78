import { webUiAddress } from '../worker/web-ui.ts';

/** Address of a run in Temporal's Web UI, where that is known or LEADERFALL_WEB_UI says it. */
export function webUiOf(
  address: string,
  run: { namespace: string; workflowId: string; runId?: string },
  configured: string | undefined = process.env.LEADERFALL_WEB_UI,
): string | undefined {
  const base = webUiAddress(address, configured);
  if (!base) return undefined;
  const parts = ['namespaces', run.namespace, 'workflows', run.workflowId, ...(run.runId ? [run.runId] : [])];
  return `${base}/${parts.map(encodeURIComponent).join('/')}`;
}
