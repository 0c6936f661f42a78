/**
 * Address of a run in Temporal's Web UI: LEADERFALL_WEB_UI where set, else the dev server's own (port + 1000) where Temporal is
 * on this machine, else undefined: nothing else can be known.
 */
export function webUiOf(
  address: string,
  run: { namespace: string; workflowId: string; runId?: string },
  configured: string | undefined = process.env.LEADERFALL_WEB_UI,
): string | undefined {
  const base = configured?.replace(/\/+$/, '') ?? devServerUi(address);
  if (!base) return undefined;
  const parts = ['namespaces', run.namespace, 'workflows', run.workflowId, ...(run.runId ? [run.runId] : [])];
  return `${base}/${parts.map(encodeURIComponent).join('/')}`;
}

function devServerUi(address: string): string | undefined {
  const [, host, port] = /^(localhost|127\.0\.0\.1|\[::1\]):(\d+)$/.exec(address) ?? [];
  return host ? `http://${host}:${Number(port) + 1_000}` : undefined;
}
