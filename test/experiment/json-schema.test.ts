import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jsonSchemas } from '../../src/experiment/json-schema.ts';
import { faultKinds } from '../../src/faults/all-faults.ts';

const written = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../schema/${name}.schema.json`, import.meta.url), 'utf8'));

describe('the written JSON Schemas', () => {
  it.each(Object.entries(jsonSchemas(faultKinds)))(
    '%s is as the code has it (npm run schemas writes it anew)',
    (name, schema) => {
      expect(written(name)).toEqual(JSON.parse(JSON.stringify(schema)));
    },
  );

  it('let a person leave everything out, and nothing unknown in', () => {
    const { required, additionalProperties } = written('experiment');
    expect(required).toBeUndefined();
    expect(additionalProperties).toBe(false);
  });

  it('leave results open for fields of later versions', () => {
    expect(JSON.stringify(written('result'))).not.toContain('"additionalProperties":false');
  });
});
