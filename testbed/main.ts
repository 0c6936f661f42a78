import { spawn } from 'node:child_process';
import { Command, Option } from 'commander';
import { digestOf, kubernetesBinary } from './build.ts';
import { down } from './down.ts';
import { tellAlternative, unsuitable } from './host.ts';
import { imageFromDockerfile } from './images/buildah.ts';
import { lock } from './lock.ts';
import { network, state } from './paths.ts';
import { logFile } from './process.ts';
import { say, step } from './progress.ts';
import { restartTemporal, startTemporal, type TemporalProgram, temporalProgram } from './temporal.ts';
import { processes, up } from './up.ts';

const program = new Command('testbed')
  .description(
    'A real Kubernetes cluster of three nodes, a registry and a Temporal server on one Linux machine.',
  )
  .enablePositionalOptions();

program
  .command('up')
  .description('bring it up, or repair it')
  .addOption(
    new Option('--search-attribute <Name=Type...>', 'Temporal search attributes to register')
      .env('TESTBED_SEARCH_ATTRIBUTES')
      .argParser((value: string, before: string[] = []) => [...before, ...value.split(',').filter(Boolean)]),
  )
  .action(async (options: { searchAttribute?: string[] }) => {
    const reason = await unsuitable();
    if (reason) {
      tellAlternative(reason);
      process.exitCode = 69;
      return;
    }
    await step('testbed up', () => up({ searchAttributes: options.searchAttribute ?? [] }));
    say(`  Web UI ${network.temporal.ui}, kubeconfig ${state('kubeconfig')}`);
  });

program
  .command('down')
  .description('take everything down; builds and downloads stay cached')
  .action(async () => {
    if (process.getuid?.() !== 0) throw new Error('only root can take the testbed down');
    const unlock = lock();
    try {
      await step('testbed down', down);
    } finally {
      unlock();
    }
  });

program
  .command('status')
  .description('what runs; exit code 1 unless all of it does')
  .action(() => {
    const all = processes();
    for (const { name, running } of all)
      console.log(`${running ? 'running' : 'DEAD   '}  ${name}  ${logFile(name)}`);
    if (all.length === 0) console.log('down');
    process.exitCode = all.length > 0 && all.every(({ running }) => running) ? 0 : 1;
  });

program
  .command('env')
  .description('shell lines that point every client at the testbed')
  .action(() => {
    for (const [name, value] of Object.entries(environment())) console.log(`export ${name}=${value}`);
  });

program
  .command('kubectl')
  .description('kubectl as the administrator of the testbed')
  .argument('[args...]')
  .passThroughOptions()
  .allowUnknownOption()
  .helpOption(false)
  .action(async (args: string[]) => {
    const child = spawn(await kubernetesBinary(), ['kubectl', ...args], {
      stdio: 'inherit',
      env: { ...process.env, KUBECONFIG: state('kubeconfig') },
    });
    child.on('exit', (code) => {
      process.exitCode = code ?? 1;
    });
  });

const image = program.command('image').description('images of the local registry');
image
  .command('build')
  .description('build a Dockerfile and push it to the local registry under a public name')
  .argument('<name>')
  .argument('<context>')
  .requiredOption('--file <path>', 'the Dockerfile')
  .option('--definition <text>', 'builds only when this text is a new one; default: digest of the context')
  .action(async (name: string, context: string, options: { file: string; definition?: string }) => {
    const definition = options.definition ?? digestOf(context);
    await imageFromDockerfile({ image: name, context, file: options.file, definition });
  });

const temporal = program.command('temporal').description('the Temporal server');
temporal
  .command('restart')
  .description('kill it as a crash would and start it on the same store')
  .action(() => restartTemporal([]));
temporal
  .command('start')
  .description('start it if it does not run')
  .action(() => startTemporal([]));

program
  .command('path')
  .description('path of a Temporal program, fetched when missing')
  .argument('<program>', 'temporal or temporal-test-server')
  .action(async (name: string) => {
    if (name !== 'temporal' && name !== 'temporal-test-server') throw new Error(`no program ${name}`);
    console.log(await temporalProgram(name satisfies TemporalProgram));
  });

/** What a client needs to find the testbed. */
function environment(): Record<string, string> {
  return {
    KUBECONFIG: state('kubeconfig'),
    TEMPORAL_ADDRESS: network.temporal.address,
    TEMPORAL_NAMESPACE: 'default',
    TESTBED_TEMPORAL_FROM_PODS: network.temporal.fromPods,
    TESTBED_REGISTRY: network.registry,
    TESTBED_WEB_UI: network.temporal.ui,
    TESTBED_TEMPORAL_METRICS: `http://${network.temporal.metrics}/metrics`,
    TESTBED_AUDIT_LOG: state('logs', 'audit.log'),
  };
}

program.parseAsync().catch((error: unknown) => {
  const { message, stderr } = error as { message?: string; stderr?: string };
  say(`testbed: ${message ?? error}`);
  if (stderr && !message?.includes(stderr)) say(stderr);
  process.exitCode = 1;
});
