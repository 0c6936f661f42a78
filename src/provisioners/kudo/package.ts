import { createHash } from 'node:crypto';
import { z } from 'zod';
import { readFiles, sha256 } from './package-files.ts';
import { checkedYaml, invalidPackage } from './package-problem.ts';

const planSchema = z.looseObject({
  strategy: z.enum(['serial', 'parallel']),
  phases: z.array(
    z.looseObject({
      name: z.string(),
      strategy: z.enum(['serial', 'parallel']),
      steps: z.array(z.looseObject({ name: z.string(), tasks: z.array(z.string()) })),
    }),
  ),
});

const operatorSchema = z.looseObject({
  name: z.string().min(1),
  operatorVersion: z.union([z.string(), z.number()]).transform(String),
  appVersion: z.union([z.string(), z.number()]).transform(String).optional(),
  kudoVersion: z.string().optional(),
  kubernetesVersion: z.string().optional(),
  description: z.string().optional(),
  maintainers: z.array(z.looseObject({})).optional(),
  url: z.string().optional(),
  tasks: z.array(
    z.looseObject({
      name: z.string(),
      kind: z.string(),
      spec: z.looseObject({ resources: z.array(z.string()).optional(), pod: z.string().optional() }),
    }),
  ),
  plans: z.record(z.string(), planSchema),
});

const paramsSchema = z.looseObject({
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        displayName: z.string().optional(),
        description: z.string().optional(),
        required: z.boolean().optional(),
        default: z.unknown().optional(),
        trigger: z.string().optional(),
        type: z.string().optional(),
        immutable: z.boolean().optional(),
        enum: z.array(z.unknown()).optional(),
      }),
    )
    .default([]),
});

/** operator.yaml */
export type OperatorFile = z.output<typeof operatorSchema>;

/** One entry of params.yaml */
export type ParameterFile = z.output<typeof paramsSchema>['parameters'][number];

/** A KUDO package, read and checked. */
export interface KudoPackage {
  operator: OperatorFile;
  parameters: ParameterFile[];
  /** Path below templates/ → text. */
  templates: Record<string, string>;
  /** sha256 over sorted names and contents of all files, hex; the same for a directory and its archive. */
  digest: string;
  source: string;
}

/** Reads a package: directory, .tgz, http(s) URL of one, or name in a repository. PACKAGE_INVALID says which file and why. */
export async function readPackage(source: string, repository?: string): Promise<KudoPackage> {
  return parsePackage(await readFiles(source, repository), source);
}

/** Checks the files of a package and puts them into shape. */
export function parsePackage(files: Map<string, Buffer>, source: string): KudoPackage {
  const text = (name: string): string => {
    const found = files.get(name);
    if (!found) throw invalidPackage(source, `${name} is missing`, [name]);
    return found.toString('utf8');
  };
  const operator = checkedYaml(operatorSchema, text('operator.yaml'), source, 'operator.yaml');
  const { parameters } = checkedYaml(paramsSchema, text('params.yaml'), source, 'params.yaml');
  const templates = Object.fromEntries(
    [...files]
      .filter(([name]) => name.startsWith('templates/'))
      .map(([name, content]) => [name.slice('templates/'.length), content.toString('utf8')]),
  );
  const evidence: string[] = [];
  if (!operator.plans.deploy) evidence.push('operator.yaml: there is no plan deploy');
  const tasks = new Set(operator.tasks.map((task) => task.name));
  for (const [plan, { phases }] of Object.entries(operator.plans)) {
    for (const name of phases.flatMap((phase) => phase.steps.flatMap((step) => step.tasks))) {
      if (!tasks.has(name))
        evidence.push(`operator.yaml: plan ${plan} names task ${name}, which is not there`);
    }
  }
  for (const task of operator.tasks) {
    const { resources = [], pod } = task.spec;
    if (task.kind === 'Pipe' && pod === undefined)
      evidence.push(`operator.yaml: task ${task.name} is a Pipe without spec.pod`);
    for (const template of pod === undefined ? resources : [...resources, pod]) {
      if (templates[template] === undefined)
        evidence.push(`operator.yaml: task ${task.name} needs templates/${template}`);
    }
  }
  if (evidence.length > 0) throw invalidPackage(source, 'it is broken', evidence);
  return { operator, parameters, templates, digest: digestOf(files), source };
}

function digestOf(files: Map<string, Buffer>): string {
  const hash = createHash('sha256');
  for (const name of [...files.keys()].sort())
    hash.update(`${name}\0${sha256(files.get(name) ?? Buffer.of())}\n`);
  return hash.digest('hex');
}
