import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** A name is asked for no more often than this. A broker that comes back with a new address is found so much later. ms */
const rememberedMs = 100;

const asked = new Map<string, { at: number; found: Promise<LookupAddress[]> }>();

/**
 * Resolves a name for a socket as Node does, but remembers the answer, or that there was none, for a moment: while a broker is
 * out it is dialled every few milliseconds, and each question would become several to the cluster's name server.
 */
export const lookupBriefly: LookupFunction = (host, options, done) => {
  const now = performance.now();
  const key = `${host} ${options.family ?? 0}`;
  const known = asked.get(key);
  const fresh =
    known && now - known.at < rememberedMs ? known : { at: now, found: resolveAll(host, options) };
  asked.set(key, fresh);
  fresh.found.then(
    (addresses) => {
      const [first] = addresses;
      if (options.all) done(null, addresses);
      else done(null, first?.address ?? '', first?.family ?? 4);
    },
    (error: NodeJS.ErrnoException) => done(error, ''),
  );
};

function resolveAll(host: string, options: Parameters<LookupFunction>[1]): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(host, { ...options, all: true }, (error, addresses) =>
      error ? reject(error) : resolve(addresses),
    );
  });
}
