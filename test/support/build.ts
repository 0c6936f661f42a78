import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';

/** Folder of a build of these very sources: `npm test` makes one first, and everything starts sooner by it. */
const build = process.env.TEST_BUILD;

const root = fileURLToPath(new URL('../..', import.meta.url));

/** File of the command that tests run. */
export const main = build ? join(build, 'src/cli/main.js') : join(root, 'src/cli/main.ts');

/** File of the workflow code of that build, where there is one. */
export const workflowFile = build ? join(build, 'workflow-bundle.js') : undefined;

let bundle: Promise<WorkflowBundleOption> | undefined;

/** The code of all workflows for a worker of a test’s own. */
export function workflowCode(): Promise<WorkflowBundleOption> {
  bundle ??= workflowFile
    ? Promise.resolve({ codePath: workflowFile })
    : bundleWorkflowCode({
        workflowsPath: join(root, 'src/workflows/all-workflows.ts'),
        logger: new DefaultLogger('ERROR'),
      });
  return bundle;
}
