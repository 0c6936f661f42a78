import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { rolldown } from 'rolldown';
import { bundlePage } from '../src/cli/page-program.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const path = (name: string) => `${root}${name}`;

/**
 * Builds dist/: JavaScript of src/, the workflow bundle that a worker loads instead of bundling when it starts, and the bundles that
 * carry only the parts that are used of two large libraries, for charts and for Kubernetes.
 */
rmSync(path('dist'), { recursive: true, force: true });
execFileSync(path('node_modules/.bin/tsc'), ['-p', path('tsconfig.build.json')], {
  stdio: 'inherit',
  cwd: root,
});
const { code } = await bundleWorkflowCode({
  workflowsPath: path('dist/src/workflows/all-workflows.js'),
  logger: quiet(),
});
const bundle = withoutSources(code);
writeFileSync(path('dist/workflow-bundle.js'), bundle);
writeFileSync(path('dist/src/report/page/main.js'), await bundlePage(path('src/report/page/main.ts')));
for (const name of ['timeline-svg', 'trend-svg']) {
  const file = path(`dist/src/report/${name}.js`);
  await using picture = await rolldown({ input: file, platform: 'node' });
  await picture.write({ file, minify: true });
}
await using client = await rolldown({
  input: path('dist/src/kubernetes/client.js'),
  platform: 'node',
  // Kept outside, because src/kubernetes uses it too.
  external: ['undici'],
  treeshake: { moduleSideEffects: false },
});
await client.write({ file: path('dist/src/kubernetes/client.js'), minify: true });
console.log(`dist/ and dist/workflow-bundle.js (${Math.round(bundle.length / 1024)} KiB)`);

/**
 * The bundle with a map that gives places and names but not the sources' text, which every worker would keep in memory. What
 * stories do needs no schemas: where their library gets in, by some import, its share of memory is not worth it.
 */
function withoutSources(bundle: string): string {
  if (bundle.includes('node_modules/zod/'))
    throw new Error('src/workflows/ imports zod, by way of some module');
  const marker = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';
  const at = bundle.lastIndexOf(marker);
  if (at < 0) throw new Error('the workflow bundle has no source map');
  const map = Buffer.from(bundle.slice(at + marker.length), 'base64').toString();
  const { sourcesContent: _, ...places } = JSON.parse(map) as Record<string, unknown>;
  return `${bundle.slice(0, at)}${marker}${Buffer.from(JSON.stringify(places)).toString('base64')}`;
}

/** The bundler reports every module it packs; only what is wrong matters here. */
function quiet() {
  const drop = () => undefined;
  const say = (message: string) => console.error(message);
  return {
    trace: drop,
    debug: drop,
    info: drop,
    warn: say,
    error: say,
    log: (level: string, message: string) =>
      level === 'WARN' || level === 'ERROR' ? say(message) : undefined,
  };
}
