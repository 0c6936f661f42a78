import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type KudoPackage, readPackage } from '../../src/provisioners/kudo/package.ts';

interface Rendered {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: the shapes of a dozen kinds
  [field: string]: any;
}

const kafka = await readPackage(path('../../testbed/operators/kafka'));
const zookeeper = await readPackage(path('../../testbed/operators/zookeeper'));

describe.each([kafka, zookeeper])('package $operator.name', (operator) => {
  it('declares every parameter its templates use and uses every one it declares', () => {
    const texts = [...Object.values(operator.templates), JSON.stringify(operator.operator.tasks)].join('\n');
    const used = [...texts.matchAll(/\.Params\.(\w+)|"parameter":"(\w+)"/g)].map(([, a, b]) => a ?? b);
    expect([...new Set(used)].sort()).toEqual(operator.parameters.map(({ name }) => name).sort());
  });

  it('has no template that no task applies', () => {
    const applied = operator.operator.tasks.flatMap(({ spec }) => [
      ...(spec.resources ?? []),
      ...(spec.pod ? [spec.pod] : []),
    ]);
    expect(Object.keys(operator.templates).sort()).toEqual([...new Set(applied)].sort());
  });

  it('gives every default as text, as numbers would pass through a float', () => {
    for (const { name, default: value } of operator.parameters) {
      expect([name, typeof value]).toEqual([name, value === undefined ? 'undefined' : 'string']);
    }
  });

  it('names its PodDisruptionBudget as the public package does, in the version that 1.25 dropped', () => {
    expect(named(objects(operator, 'x'), 'PodDisruptionBudget')).toMatchObject({
      apiVersion: 'policy/v1beta1',
      metadata: { name: 'x-pdb' },
      spec: { maxUnavailable: 1 },
    });
  });
});

it('the Kafka package has the plan tree of the public one', () => {
  expect(tree(kafka).deploy).toEqual({
    'serial deploy-kafka': ['generate-tls-certificates', 'configuration', 'service', 'app'],
    'parallel addons': ['monitoring', 'mirror', 'load'],
  });
  expect(Object.keys(tree(kafka))).toEqual(expect.arrayContaining(['update-instance', 'not-allowed']));
  expect(kafka.operator.tasks.find(({ name }) => name === 'generate-tls-certificates')?.kind).toBe('Pipe');
});

it('every plan that a Kafka parameter triggers is there', () => {
  for (const { trigger } of kafka.parameters) expect(Object.keys(kafka.operator.plans)).toContain(trigger);
});

it('the Kafka package makes what the blog names', () => {
  const made = objects(kafka, 'kafka');
  expect(made.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
    'ConfigMap kafka-bootstrap',
    'ConfigMap kafka-load',
    'ConfigMap kafka-metrics-config',
    'ConfigMap kafka-mirror',
    'ConfigMap kafka-serverproperties',
    'Pod kafka-generate-tls-certificates',
    'PodDisruptionBudget kafka-pdb',
    'Role kafka-role',
    'RoleBinding kafka-binding',
    'Service kafka-svc',
    'ServiceAccount kafka',
    'StatefulSet kafka-kafka',
  ]);
  const service = named(made, 'Service');
  expect(service.spec.clusterIP).toBe('None');
  expect(service.spec.ports.map(({ port }: { port: number }) => port)).toEqual([9093, 9092, 9094, 9096]);
  const set = named(made, 'StatefulSet');
  expect(set.spec).toMatchObject({ serviceName: 'kafka-svc', replicas: 3 });
  expect(set.spec.selector.matchLabels).toEqual({ app: 'kafka', kafka: 'kafka' });
  expect(set.spec.template.metadata.labels).toEqual({
    app: 'kafka',
    kafka: 'kafka',
    'kudo.dev/instance': 'kafka',
  });
  expect(set.spec.template.spec.terminationGracePeriodSeconds).toBe(300);
  expect(containers(set)).toEqual(['kafka-node-exporter', 'k8skafka']);
  expect(set.spec.volumeClaimTemplates[0].metadata.name).toBe('kafka-datadir');
});

it('the labels name the operator and the service the instance', () => {
  const set = named(objects(kafka, 'orders'), 'StatefulSet');
  expect(set.metadata.name).toBe('orders-kafka');
  expect(set.spec.serviceName).toBe('orders-svc');
  expect(set.spec.template.metadata.labels).toMatchObject({ kafka: 'kafka', 'kudo.dev/instance': 'orders' });
});

it('without metrics a broker has one container', () => {
  const made = objects(kafka, 'kafka', { METRICS_ENABLED: 'false' });
  expect(containers(named(made, 'StatefulSet'))).toEqual(['k8skafka']);
  expect(named(made, 'Service').spec.ports).toHaveLength(2);
});

it('a restarted broker is found at its new address at once, unless told to be as slow as the public package', () => {
  const start = (changed = {}) =>
    made(kafka, 'kafka', 'ConfigMap', 'kafka-bootstrap', changed).data['start.sh'];
  // As a security property: as system properties they would lose against the JVM's own java.security.
  expect(start()).toContain('-Djava.security.properties=/tmp/java.security"');
  expect(start()).toMatch(
    /cache\.ttl=1\n *echo networkaddress\.cache\.negative\.ttl=1\n *} > \/tmp\/java\.security\n/,
  );
  expect(named(objects(kafka, 'kafka'), 'Service').spec.publishNotReadyAddresses).toBe(true);
  const slow = {
    DNS_TTL_SECONDS: '30',
    DNS_NEGATIVE_TTL_SECONDS: '10',
    PUBLISH_NOT_READY_ADDRESSES: 'false',
  };
  expect(start(slow)).toMatch(/cache\.ttl=30\n *echo networkaddress\.cache\.negative\.ttl=10\n/);
  expect(named(objects(kafka, 'kafka', slow), 'Service').spec.publishNotReadyAddresses).toBe(false);
});

it('options of the JVM reach the brokers', () => {
  const changed = { JVM_OPTIONS: '-XX:TieredStopAtLevel=4' };
  const start = made(kafka, 'kafka', 'ConfigMap', 'kafka-bootstrap', changed).data['start.sh'];
  expect(start).toMatch(/export KAFKA_OPTS="-XX:TieredStopAtLevel=4 -D/);
});

it('a Secret opens a listener with TLS and SASL beside the plain one', () => {
  const changed = { SECURE_LISTENER_SECRET: 'kafka-secure' };
  const start = made(kafka, 'kafka', 'ConfigMap', 'kafka-bootstrap', changed).data['start.sh'];
  expect(start).toContain('CLIENT://0.0.0.0:9092,SECURE://0.0.0.0:9095"');
  expect(start).toContain('CLIENT:PLAINTEXT,SECURE:SASL_SSL');
  const { spec } = named(objects(kafka, 'kafka', changed), 'StatefulSet').spec.template;
  expect(spec.volumes).toContainEqual({ name: 'secure', secret: { secretName: 'kafka-secure' } });
  const [, broker] = spec.containers;
  expect(broker.ports).toContainEqual({ name: 'secure', containerPort: 9095 });
  expect(broker.volumeMounts).toContainEqual({ name: 'secure', mountPath: '/etc/secure' });
});

it('without persistent storage a broker claims no volume', () => {
  const { spec } = named(objects(kafka, 'kafka', { PERSISTENT_STORAGE: 'false' }), 'StatefulSet');
  expect(spec.volumeClaimTemplates).toBeUndefined();
  expect(spec.template.spec.volumes).toContainEqual({ name: 'kafka-datadir', emptyDir: {} });
});

it('deletes no topic and replicates none unless told, as the public package', () => {
  const properties = made(kafka, 'kafka', 'ConfigMap', 'kafka-serverproperties').data['server.properties'];
  expect(properties).toContain('delete.topic.enable=false\n');
  expect(properties).toContain('default.replication.factor=1\n');
  expect(properties).toContain('zookeeper.session.timeout.ms=6000\n');
});

it('the ZooKeeper package has the plan tree and the objects of the public one', () => {
  expect(tree(zookeeper).deploy).toEqual({
    'parallel zookeeper': ['deploy'],
    'serial validation': ['validation', 'cleanup'],
  });
  const all = objects(zookeeper, 'zookeeper-instance');
  expect(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
    'ConfigMap zookeeper-instance-bootstrap',
    'ConfigMap zookeeper-instance-healthcheck',
    'Job zookeeper-instance-validation',
    'PodDisruptionBudget zookeeper-instance-pdb',
    'Service zookeeper-instance-cs',
    'Service zookeeper-instance-hs',
    'StatefulSet zookeeper-instance-zookeeper',
  ]);
  const set = named(all, 'StatefulSet');
  expect(set.spec).toMatchObject({
    replicas: 3,
    podManagementPolicy: 'Parallel',
    serviceName: 'zookeeper-instance-hs',
  });
  expect(containers(set)).toEqual(['kubernetes-zookeeper']);
});

it('a package that KUDO would reject is refused with every reason', async () => {
  const error = await readPackage(path('../fixtures/operators/broken')).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    problem: {
      code: 'PACKAGE_INVALID',
      evidence: [
        'operator.yaml: plan deploy names task configuration, which is not there',
        'operator.yaml: task app needs templates/statefulset.yaml',
      ],
    },
  });
});

it('the package whose plan must fail is itself in order', async () => {
  expect(tree(await readPackage(path('../fixtures/operators/fatal')))).toEqual({
    deploy: { 'serial deploy-kafka': ['configuration', 'app'] },
  });
});

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** Plan → strategy and name of each phase → names of its steps. */
function tree({ operator }: KudoPackage): Record<string, Record<string, string[]>> {
  return Object.fromEntries(
    Object.entries(operator.plans).map(([plan, { phases }]) => [
      plan,
      Object.fromEntries(
        phases.map(({ name, strategy, steps }) => [`${strategy} ${name}`, steps.map((step) => step.name)]),
      ),
    ]),
  );
}

function objects(operator: KudoPackage, name: string, changed: Record<string, string> = {}): Rendered[] {
  const parameters = Object.fromEntries(operator.parameters.map((p) => [p.name, String(p.default ?? '')]));
  const values = { Name: name, Namespace: 'kafka', OperatorName: operator.operator.name };
  return Object.values(operator.templates).flatMap((template) =>
    parseAllDocuments(render(template, values, { ...parameters, ...changed })).map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS() as Rendered;
    }),
  );
}

/** The part of Go's templates that the testbed's packages keep to; anything else is left standing and fails to parse. */
function render(
  template: string,
  values: Record<string, string>,
  parameters: Record<string, string>,
): string {
  const block =
    /\{\{ if (?:(eq|ne) )?\.Params\.(\w+)(?: "(.*?)")? \}\}((?:(?!\{\{ (?:if|end)).)*)\{\{ end \}\}/s;
  let text = template;
  for (let found = block.exec(text); found; found = block.exec(text)) {
    const [whole, comparison, name = '', value, body = ''] = found;
    const [then = '', otherwise = ''] = body.split('{{ else }}');
    const actual = parameters[name] ?? '';
    const holds =
      comparison === 'eq' ? actual === value : comparison === 'ne' ? actual !== value : actual !== '';
    text = text.replace(whole, () => (holds ? then : otherwise));
  }
  return text
    .replace(/\{\{ \.Params\.(\w+) \}\}/g, (whole, name: string) => parameters[name] ?? whole)
    .replace(/\{\{ \.(\w+) \}\}/g, (whole, name: string) => values[name] ?? whole);
}

function named(all: Rendered[], kind: string): Rendered {
  const found = all.find((object) => object.kind === kind);
  if (!found) throw new Error(`no ${kind} is made`);
  return found;
}

function made(
  operator: KudoPackage,
  instance: string,
  kind: string,
  name: string,
  changed: Record<string, string> = {},
): Rendered {
  return named(
    objects(operator, instance, changed).filter((object) => object.metadata.name === name),
    kind,
  );
}

function containers(set: Rendered): string[] {
  return set.spec.template.spec.containers.map(({ name }: { name: string }) => name);
}
