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
writeFileSync(path('dist/workflow-bundle.js'), code);
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
console.log(`dist/ and dist/workflow-bundle.js (${Math.round(code.length / 1024)} KiB)`);

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
