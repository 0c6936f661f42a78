/**
 * Address of Temporal's Web UI: the configured one, else the dev server's own (port + 1000) where Temporal is on this machine, else
 * undefined: nothing else can be known.
 */
export function webUiAddress(temporalAddress: string, configured?: string): string | undefined {
  if (configured !== undefined) return configured.replace(/\/+$/, '');
  const [, host, port] = /^(localhost|127\.0\.0\.1|\[::1\]):(\d+)$/.exec(temporalAddress) ?? [];
  return host ? `http://${host}:${Number(port) + 1_000}` : undefined;
}
