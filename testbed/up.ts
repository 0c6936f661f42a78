import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { kubernetesBinary, kudoManagerBinary } from './build.ts';
import { hostLayout } from './cgroups.ts';
import { startControlPlane } from './control-plane.ts';
import { down } from './down.ts';
import { installPackages } from './host.ts';
import { buildImages } from './images/images.ts';
import { kubectl } from './kubectl.ts';
import { lock } from './lock.ts';
import { prepareHostNetwork, startNode } from './node.ts';
import { nodes, paths, state } from './paths.ts';
import { endOfLog, isRunning, logFile, mustRun, recorded } from './process.ts';
import { say, step } from './progress.ts';
import { startRegistry } from './registry.ts';
import { until } from './run.ts';
import { startTemporal } from './temporal.ts';
import { isWhole } from './whole.ts';

/** Raised when what runs changes in a way that a running testbed does not take over by itself. */
const layoutVersion = '2';

/** Brings the whole testbed up; quick where it is up already, and repairs or replaces one that is half dead. */
export async function up(options: { searchAttributes: string[] }): Promise<void> {
  const unlock = lock();
  try {
    await installPackages();
    const binary = await kubernetesBinary();
    const manager = await kudoManagerBinary();
    const version = `${layoutVersion} ${basename(binary)}`;
    if (existsSync(paths.state) && !isWhole({ complete: completed(), processes: processes() }, version))
      await replace('half dead or from another version');
    await startBase(binary);
    await buildImages(manager);
    await step('Temporal server', () => startTemporal(options.searchAttributes));
    // Once more from nothing: what was left of an earlier testbed can keep new nodes from starting.
    await step('nodes', () => startNodes(binary)).catch(async (error: unknown) => {
      await replace((error as Error).message);
      await startBase(binary);
      await step('Temporal server', () => startTemporal(options.searchAttributes));
      await step('nodes', () => startNodes(binary));
    });
    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', `${paths.source}storage-class.yaml`]);
    writeFileSync(state('complete'), version);
  } finally {
    unlock();
  }
}

async function replace(why: string): Promise<void> {
  say(`  the testbed is not whole and is replaced: ${why}`);
  await down();
}

async function startBase(binary: string): Promise<void> {
  mkdirSync(paths.state, { recursive: true });
  await step('host network', prepareHostNetwork);
  await startRegistry();
  await step('control plane', () => startControlPlane(binary));
}

async function startNodes(binary: string): Promise<void> {
  const layout = hostLayout();
  await Promise.all(nodes.map((node) => startNode(node, binary, layout)));
  await until('all nodes are ready', 120, async () => {
    for (const { name } of nodes) mustRun(`${name}-kubelet`);
    return allReady();
  }).catch(async (error: unknown) => {
    throw new Error(`${(error as Error).message}\n${await whyNotReady()}`);
  });
}

/** What the API server knows of each node, and the end of each kubelet's log. */
async function whyNotReady(): Promise<string> {
  const known = await kubectl(['describe', 'nodes']).then(
    (text) => text.split('\n').filter((line) => /^(Name:|\s+Ready\s)/.test(line)),
    (error: unknown) => [`the API server lists no nodes: ${(error as Error).message}`],
  );
  const logs = nodes.flatMap(({ name }) => [
    `${logFile(`${name}-kubelet`)}:`,
    ...endOfLog(`${name}-kubelet`),
  ]);
  return [...known, ...logs].join('\n');
}

/** Names of the recorded processes with whether each runs. */
export function processes(): { name: string; running: boolean }[] {
  return recorded().map((name) => ({ name, running: isRunning(name) }));
}

/** Version of the testbed that `up` finished last; undefined where it never finished. */
function completed(): string | undefined {
  return existsSync(state('complete')) ? readFileSync(state('complete'), 'utf8') : undefined;
}

async function allReady(): Promise<boolean> {
  const jsonpath = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  const out = await kubectl(['get', 'nodes', '-o', `jsonpath=${jsonpath}`]).catch(() => '');
  return out.split('\n').filter((line) => line === 'True').length === nodes.length;
}
