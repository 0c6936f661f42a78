import { kubernetesBinary } from './build.ts';
import { state } from './paths.ts';
import { run } from './run.ts';

/** Runs kubectl as the testbed's administrator and gives its output. */
export async function kubectl(args: string[], input?: string): Promise<string> {
  return await run(await kubernetesBinary(), ['kubectl', ...args], {
    env: { KUBECONFIG: state('kubeconfig') },
    ...(input === undefined ? {} : { input }),
  });
}
