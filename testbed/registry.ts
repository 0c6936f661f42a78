import { mkdirSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { cache, network, state } from './paths.ts';
import { isRunning, mustRun, start } from './process.ts';
import { succeeds, until } from './run.ts';

/** Starts the registry that serves every image under its public name. Its contents live in the cache. */
export async function startRegistry(): Promise<void> {
  if (!isRunning('registry')) {
    mkdirSync(cache('registry'), { recursive: true });
    const config = {
      version: 0.1,
      log: { level: 'warn' },
      storage: { filesystem: { rootdirectory: cache('registry') }, delete: { enabled: true } },
      http: { addr: network.registry },
    };
    writeFileSync(state('registry.yml'), stringify(config));
    start('registry', 'docker-registry', ['serve', state('registry.yml')]);
  }
  await until('the registry answers', 20, () => {
    mustRun('registry');
    return succeeds('curl', ['-sf', `http://${network.registry}/v2/`]);
  });
}
