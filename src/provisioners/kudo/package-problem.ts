import { type ParseOptions, parse, type SchemaOptions } from 'yaml';
import type { z } from 'zod';
import { type LeaderfallError, problem } from '../../experiment/errors.ts';

/** PACKAGE_INVALID for a package or a repository's index, named by its source. */
export function invalidPackage(source: string, why: string, evidence: string[] = []): LeaderfallError {
  return problem('PACKAGE_INVALID', `KUDO package ${source}: ${why}`, {
    evidence,
    next: 'Correct the package, or name another one in provision.kafka.package or provision.zookeeper.package.',
  });
}

/** A file's YAML in the schema's shape; PACKAGE_INVALID names the file with every defect of it. */
export function checkedYaml<T>(
  schema: z.ZodType<T>,
  text: string,
  source: string,
  file: string,
  options: ParseOptions & SchemaOptions = {},
): T {
  let value: unknown;
  try {
    value = parse(text, options);
  } catch (cause) {
    throw invalidPackage(source, `${file} is not YAML: ${(cause as Error).message.split('\n')[0]}`, [file]);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const defects = result.error.issues.map(
    ({ path, message }) => `${[file, path.join('.')].filter(Boolean).join(': ')}: ${message}`,
  );
  throw invalidPackage(source, 'it is broken', defects);
}
