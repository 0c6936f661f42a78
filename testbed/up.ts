import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { kubernetesBinary, kudoManagerBinary } from './build.ts';
import { hostLayout } from './cgroups.ts';
import { startControlPlane } from './control-plane.ts';
import { down } from './down.ts';
import { installPackages } from './host.ts';
import { buildImages } from './images/images.ts';
import { kubectl } from './kubectl.ts';
import { prepareHostNetwork, startNode } from './node.ts';
import { nodes, paths, state } from './paths.ts';
import { isRunning, recorded, startTimeOf } from './process.ts';
import { say, step } from './progress.ts';
import { startRegistry } from './registry.ts';
import { until } from './run.ts';
import { startTemporal } from './temporal.ts';

/** Raised when what runs changes in a way that a running testbed does not take over by itself. */
const layoutVersion = '2';

/** Brings the whole testbed up; quick where it is up already, and repairs or replaces one that is half dead. */
export async function up(options: { searchAttributes: string[] }): Promise<void> {
  mkdirSync(paths.root, { recursive: true });
  const unlock = lock();
  try {
    await installPackages();
    const binary = await kubernetesBinary();
    const manager = await kudoManagerBinary();
    const version = `${layoutVersion} ${basename(binary)}`;
    if (isBroken(version)) {
      say('  the testbed is half dead or from another version: replacing it');
      await down();
    }
    mkdirSync(paths.state, { recursive: true });
    await step('host network', prepareHostNetwork);
    await startRegistry();
    await step('control plane', () => startControlPlane(binary));
    await buildImages(manager);
    await step('Temporal server', () => startTemporal(options.searchAttributes));
    await step('nodes', async () => {
      const layout = hostLayout();
      for (const node of nodes) await startNode(node, binary, layout);
      await until('all nodes are ready', 90, allReady);
    });
    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', `${paths.source}storage-class.yaml`]);
    writeFileSync(state('complete'), version);
  } finally {
    unlock();
  }
}

/** Names of the recorded processes with whether each runs. */
export function processes(): { name: string; running: boolean }[] {
  return recorded().map((name) => ({ name, running: isRunning(name) }));
}

/** Dead node or control plane processes, or a state that `up` never finished, cannot be trusted to heal. */
function isBroken(version: string): boolean {
  if (!existsSync(paths.state)) return false;
  if (!existsSync(state('complete')) || readFileSync(state('complete'), 'utf8') !== version) return true;
  // Temporal and the registry keep their data and are simply started again.
  return processes().some(({ name, running }) => !running && name !== 'temporal' && name !== 'registry');
}

async function allReady(): Promise<boolean> {
  const jsonpath = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  const out = await kubectl(['get', 'nodes', '-o', `jsonpath=${jsonpath}`]).catch(() => '');
  return out.split('\n').filter((line) => line === 'True').length === nodes.length;
}

/** One `up` or `down` at a time. A lock whose owner is gone is taken over. */
export function lock(): () => void {
  const file = `${paths.root}/lock`;
  for (;;) {
    try {
      const handle = openSync(file, 'wx');
      writeFileSync(handle, `${process.pid} ${startTimeOf(process.pid)}`);
      closeSync(handle);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const [pid, startTime] = readFileSync(file, 'utf8').split(' ');
      if (startTimeOf(Number(pid)) === startTime && startTime) {
        throw new Error(`another testbed command is at work (pid ${pid})`);
      }
      rmSync(file, { force: true });
    }
  }
}
