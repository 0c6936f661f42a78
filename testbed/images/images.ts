import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { paths } from '../paths.ts';
import { run } from '../run.ts';
import { imageFromFolder, workFolder } from './buildah.ts';
import { addUser, debian, extractPackage } from './debian.ts';
import { libraries } from './libraries.ts';

const pause = 'registry.k8s.io/pause:3.10';
const busybox = 'docker.io/library/busybox:latest';
const node = 'docker.io/library/node:24-bookworm-slim';
const npmVersion = '11.19.1';
const java = 'docker.io/leaderfall-testbed/java:17';
/** Kafka and the ZooKeeper it depends on, in one image. */
export const kafkaImage = 'docker.io/leaderfall-testbed/kafka:2.5.1';
const exporter = 'quay.io/prometheus/node-exporter:v1.5.0';
const kudoManager = 'docker.io/kudobuilder/controller:v0.19.0';

/** Every image that the cluster and the experiment pull, built from Debian, npm, Maven and Go packages where it is missing. */
export async function buildImages(kudoManagerBinary: string): Promise<void> {
  await buildPause();
  await buildBusybox();
  await buildNode();
  await buildExporter();
  await buildKudoManager(kudoManagerBinary);
  await buildKafka();
}

/** The sandbox's process: waits, and ends at once when told to. */
async function buildPause(): Promise<void> {
  const script = 'trap "exit 0" TERM INT; while :; do sleep 3600 & wait $!; done';
  await imageFromFolder({
    image: pause,
    definition: `${staticBusybox} ${script}`,
    prepare: () => installBusybox(workFolder('pause')),
    config: ['--entrypoint', JSON.stringify(['/bin/sh', '-c', script])],
  });
}

async function buildBusybox(): Promise<void> {
  await imageFromFolder({
    image: busybox,
    definition: `${staticBusybox} ${tools.join(' ')}`,
    prepare: () => installBusybox(workFolder('busybox')),
    config: ['--cmd', 'sh', '--env', 'PATH=/bin'],
  });
}

/** The machine's own busybox may be linked with libraries that the image does not have. */
const staticBusybox = 'busybox-static';

const tools = [
  'sh',
  'sleep',
  'cat',
  'stat',
  'tar',
  'ls',
  'touch',
  'mkdir',
  'chown',
  'chmod',
  'echo',
  'test',
  'true',
  'nc',
  'wget',
  'nslookup',
  'id',
  'date',
  'rm',
  'cp',
  'env',
];

async function installBusybox(folder: string): Promise<string> {
  const files = join(folder, 'package');
  await extractPackage(staticBusybox, files);
  // Before Debian 13 it is in /bin.
  const binary = ['usr/bin/busybox', 'bin/busybox']
    .map((path) => join(files, path))
    .find((path) => existsSync(path));
  if (!binary) throw new Error(`Debian package ${staticBusybox} holds no busybox`);
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'tmp'), { mode: 0o1777 });
  mkdirSync(join(folder, 'etc'));
  renameSync(binary, join(folder, 'bin', 'busybox'));
  rmSync(files, { recursive: true });
  for (const name of tools) symlinkSync('busybox', join(folder, 'bin', name));
  return folder;
}

/** Stands in for the public Node image: Debian 12, Node 24 and npm, user `node` with uid 1000. */
async function buildNode(): Promise<void> {
  const checkout = join(paths.source, '..');
  const binary = join(checkout, 'node_modules', 'node', 'bin', 'node');
  const version = await run(binary, ['--version']);
  await imageFromFolder({
    image: node,
    definition: `bookworm ca-certificates ${version} npm ${npmVersion}`,
    prepare: async () => {
      const folder = await debian('node', ['ca-certificates']);
      const lib = join(folder, 'usr', 'local', 'lib', 'node_modules');
      mkdirSync(lib, { recursive: true });
      cpSync(realpathSync(binary), join(folder, 'usr', 'local', 'bin', 'node'));
      // The registry's own package: the machine's npm may be split over several Debian packages.
      const packed = workFolder('npm');
      await run('npm', ['pack', '--silent', '--pack-destination', packed, `npm@${npmVersion}`]);
      await run('tar', ['-xzf', join(packed, `npm-${npmVersion}.tgz`), '-C', packed]);
      renameSync(join(packed, 'package'), join(lib, 'npm'));
      for (const name of ['npm', 'npx']) {
        symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(folder, 'usr', 'local', 'bin', name));
      }
      addUser(folder, 'node');
      return folder;
    },
    config: ['--cmd', 'node', '--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  });
}

async function buildExporter(): Promise<void> {
  await imageFromFolder({
    image: exporter,
    definition: 'bookworm prometheus-node-exporter',
    prepare: async () => {
      const folder = workFolder('exporter');
      await extractPackage('prometheus-node-exporter', folder);
      // Debian's binary is linked with libc; the loader and the C library come along.
      for (const library of libraries[process.arch] ?? []) {
        cpSync(realpathSync(library), join(folder, library), { recursive: true });
      }
      mkdirSync(join(folder, 'bin'), { recursive: true });
      cpSync(join(folder, 'usr', 'bin', 'prometheus-node-exporter'), join(folder, 'bin', 'node_exporter'));
      return folder;
    },
    config: ['--entrypoint', JSON.stringify(['/bin/node_exporter']), '--user', '65534'],
  });
}

async function buildKudoManager(binary: string): Promise<void> {
  await imageFromFolder({
    image: kudoManager,
    definition: binary.replace(/^.*\//, ''),
    prepare: async () => {
      const folder = workFolder('kudo');
      mkdirSync(join(folder, 'root'));
      mkdirSync(join(folder, 'tmp'), { mode: 0o1777 });
      cpSync(binary, join(folder, 'root', 'manager'));
      return folder;
    },
    config: ['--entrypoint', JSON.stringify(['/root/manager']), '--workingdir', '/'],
  });
}

async function buildKafka(): Promise<void> {
  const pom = readFileSync(join(paths.source, 'images', 'kafka-pom.xml'), 'utf8');
  const scripts = toolScripts();
  const base = 'bookworm openjdk-17-jre-headless';
  await imageFromFolder({
    image: java,
    definition: base,
    prepare: async () => {
      const folder = await debian('java', ['openjdk-17-jre-headless', 'procps']);
      addUser(folder, 'kafka');
      return folder;
    },
    config: ['--env', 'PATH=/opt/kafka/bin:/usr/local/bin:/usr/bin:/bin'],
  });
  await imageFromFolder({
    image: kafkaImage,
    from: java,
    definition: `${base} ${pom} ${JSON.stringify(scripts)}`,
    prepare: async () => {
      const project = workFolder('kafka-maven');
      writeFileSync(join(project, 'pom.xml'), pom);
      const folder = workFolder('kafka');
      const libraries = join(folder, 'opt', 'kafka', 'libs');
      await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${libraries}`], {
        cwd: project,
      });
      const bin = join(folder, 'opt', 'kafka', 'bin');
      mkdirSync(bin);
      for (const [name, text] of Object.entries(scripts))
        writeFileSync(join(bin, name), text, { mode: 0o755 });
      return folder;
    },
    config: ['--user', '1000', '--workingdir', '/'],
  });
}

/** The console tools under their usual names. `exec`, so that a signal reaches the JVM. */
function toolScripts(): Record<string, string> {
  const launch =
    '#!/bin/sh\nexec java ${KAFKA_HEAP_OPTS:--Xmx128m} -XX:TieredStopAtLevel=1 -Xshare:auto ${KAFKA_OPTS:-} -cp "/opt/kafka/config:/opt/kafka/libs/*" "$@"\n';
  const tool = (main: string) => `#!/bin/sh\nexec /opt/kafka/bin/kafka-run-class.sh ${main} "$@"\n`;
  return {
    'kafka-run-class.sh': launch,
    'kafka-topics.sh': tool('kafka.admin.TopicCommand'),
    'kafka-console-consumer.sh': tool('kafka.tools.ConsoleConsumer'),
    'kafka-console-producer.sh': tool('kafka.tools.ConsoleProducer'),
    'kafka-configs.sh': tool('kafka.admin.ConfigCommand'),
    'zookeeper-shell.sh': tool('org.apache.zookeeper.ZooKeeperMain'),
  };
}
