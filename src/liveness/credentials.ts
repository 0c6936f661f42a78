import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentialSources, type SecurityNames, securityOf } from '../experiment/connection-security.ts';
import { holdSecret } from '../experiment/held-secrets.ts';
import { dialDirect } from '../kafka/reach.ts';
import { secureDial } from '../kafka/secure-dial.ts';
import type { Settings } from './environment.ts';

/** Where the pod's containers find the credentials, one file each. */
export const credentialsFolder = '/etc/leaderfall/credentials';

/** Within one cluster a broker that lives answers in a few milliseconds; one whose pod has gone never does. ms */
const connectMs = 500;

/** The volume with just the keys that the experiment names; undefined where it names none. Kubernetes reads the Secrets, not we. */
export function credentialsVolume(names: SecurityNames): object | undefined {
  const sources = credentialSources(names).map(({ file, secret, key, optional }) => ({
    secret: { name: secret, items: [{ key, path: file }], ...(optional ? { optional } : {}) },
  }));
  return sources.length > 0 ? { name: 'credentials', projected: { sources } } : undefined;
}

/** Settings whose clients are secured as the environment says, by what is mounted; its secrets are shown by no text from now on. Throws CREDENTIALS_MISSING. */
export function withCredentials(settings: Settings, folder = credentialsFolder): Settings {
  const security = securityOf(settings.security ?? {}, ({ file }) => contentOf(join(folder, file)));
  holdSecret(security?.tls?.key);
  holdSecret(security?.sasl?.password);
  return security ? { ...settings, dial: secureDial(dialDirect, security, connectMs) } : settings;
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
