import { closest } from 'fastest-levenshtein';
import { stringify } from 'yaml';
import { problem } from '../../experiment/errors.ts';
import type { KubernetesObject } from '../../kubernetes/port.ts';
import type { KudoPackage, ParameterFile } from './package.ts';

const apiVersion = 'kudo.dev/v1beta1';

/** Annotation: digest of the package that an OperatorVersion was made from. */
export const digestAnnotation = 'leaderfall.io/package-digest';

/** Labels and annotations of everything a run makes. */
export interface Marks {
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

const budget = /^[ \t]*kind:[ \t]*["']?PodDisruptionBudget["']?[ \t]*(#.*)?\r?$/m;
const oldPolicy = /^([ \t]*apiVersion:[ \t]*["']?)policy\/v1beta1\b/m;

/** Replaces what the cluster no longer serves. Gives the package as it is to be installed and what was changed, in words. */
export function rewriteFor(
  minor: number,
  pack: KudoPackage,
): { templates: Record<string, string>; rewrites: string[] } {
  if (minor < 25) return { templates: pack.templates, rewrites: [] };
  const rewrites: string[] = [];
  const templates = Object.fromEntries(
    Object.entries(pack.templates).map(([name, text]) => {
      // Another kind of policy/v1beta1 beside it has no policy/v1.
      const rewritten = text
        .split(/^(?=---)/m)
        .map((document) => (budget.test(document) ? document.replace(oldPolicy, '$1policy/v1') : document))
        .join('');
      if (rewritten !== text)
        rewrites.push(`templates/${name}: PodDisruptionBudget policy/v1beta1 → policy/v1`);
      return [name, rewritten];
    }),
  );
  return { templates, rewrites };
}

/** Parameters as they go into the Instance; PARAMETER_UNKNOWN for a name that the package does not declare. */
export function checkedParameters(
  pack: KudoPackage,
  given: Record<string, string>,
  field: string,
): Record<string, string> {
  const known = pack.parameters.map((parameter) => parameter.name);
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw problem(
      'PARAMETER_UNKNOWN',
      `KUDO package ${pack.operator.name} does not declare ${unknown.join(', ')}`,
      {
        evidence: unknown.map((name) => `${field}.${name}: nearest is ${closest(name, known)}`),
        next: 'KUDO itself would accept such a parameter and ignore it. Correct the name or leave it out.',
      },
    );
  }
  const missing = pack.parameters
    .filter(
      ({ name, required, default: preset }) =>
        required !== false && preset === undefined && given[name] === undefined,
    )
    .map(({ name }) => name);
  if (missing.length > 0) {
    throw problem('INPUT_INVALID', `KUDO package ${pack.operator.name} requires ${missing.join(', ')}`, {
      evidence: missing.map((name) => `${field}.${name}`),
      next: 'Give these parameters a value.',
    });
  }
  return given;
}

/** Value of a parameter as the Instance will see it: given, else the package's default. */
export function parameterValue(
  pack: KudoPackage,
  given: Record<string, string>,
  name: string,
): string | undefined {
  const declared = pack.parameters.find((parameter) => parameter.name === name);
  return given[name] ?? (declared ? defaultText(declared) : undefined);
}

/** The Operator object: what the package is. */
export function operatorObject(pack: KudoPackage, namespace: string, marks: Marks): KubernetesObject {
  const { name, description, kudoVersion, kubernetesVersion, maintainers, url } = pack.operator;
  return {
    apiVersion,
    kind: 'Operator',
    metadata: { name, namespace, ...marks },
    spec: { description, kudoVersion, kubernetesVersion, maintainers, url },
  };
}

/** Name of an OperatorVersion as current KUDO clients give it. */
export function operatorVersionName(pack: KudoPackage): string {
  const { name, appVersion, operatorVersion } = pack.operator;
  return [name, appVersion, operatorVersion].filter(Boolean).join('-');
}

/** The OperatorVersion object: templates, tasks, plans and every declared parameter, also those without a default. */
export function operatorVersionObject(
  pack: KudoPackage,
  templates: Record<string, string>,
  options: { name: string; namespace: string; marks: Marks },
): KubernetesObject {
  const { operator } = pack;
  const { labels, annotations } = options.marks;
  return {
    apiVersion,
    kind: 'OperatorVersion',
    metadata: {
      name: options.name,
      namespace: options.namespace,
      labels,
      annotations: { ...annotations, [digestAnnotation]: pack.digest },
    },
    spec: {
      operator: { apiVersion, kind: 'Operator', name: operator.name },
      version: operator.operatorVersion,
      appVersion: operator.appVersion,
      templates,
      tasks: operator.tasks,
      parameters: pack.parameters.map(parameterObject),
      plans: operator.plans,
    },
  };
}

/** The Instance object. The webhook sets the plan `deploy` going. */
export function instanceObject(
  pack: KudoPackage,
  options: {
    name: string;
    namespace: string;
    operatorVersion: string;
    parameters: Record<string, string>;
    marks: Marks;
  },
): KubernetesObject {
  return {
    apiVersion,
    kind: 'Instance',
    metadata: {
      name: options.name,
      namespace: options.namespace,
      labels: { ...options.marks.labels, 'kudo.dev/operator': pack.operator.name },
      annotations: options.marks.annotations,
    },
    spec: { operatorVersion: { name: options.operatorVersion }, parameters: options.parameters },
  };
}

/** In a package the type of a parameter is `type`, in the object `value-type`; defaults are strings there. */
function parameterObject(parameter: ParameterFile): Record<string, unknown> {
  const { type, default: _preset, ...rest } = parameter;
  const text = defaultText(parameter);
  return {
    ...rest,
    required: parameter.required ?? true,
    immutable: parameter.immutable ?? false,
    ...(text === undefined ? {} : { default: text }),
    ...(type ? { 'value-type': type } : {}),
  };
}

function defaultText(parameter: ParameterFile): string | undefined {
  const { default: preset } = parameter;
  if (preset === undefined || preset === null) return undefined;
  return typeof preset === 'object' ? stringify(preset) : String(preset);
}

/** Names of the StatefulSets in a package's templates, with the instance's name filled in; to know the target beforehand. */
export function statefulSetName(pack: KudoPackage, instance: string): string {
  for (const text of Object.values(pack.templates)) {
    if (!/^kind:\s*StatefulSet\s*$/m.test(text)) continue;
    const name = /^metadata:\s*\n(?:\s+.*\n)*?\s+name:\s*(.+)$/m.exec(text)?.[1]?.trim();
    const filled = name
      ?.replace(/\{\{-?\s*\.Name\s*-?\}\}/g, instance)
      .replace(/\{\{-?\s*\.OperatorName\s*-?\}\}/g, pack.operator.name)
      .replace(/^["']|["']$/g, '');
    if (filled && !filled.includes('{{')) return filled;
  }
  return `${instance}-${pack.operator.name}`;
}
