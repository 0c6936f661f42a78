import { z } from 'zod';
import { resultSchema } from './result-schema.ts';
import { experimentSchema } from './spec.ts';

/** A JSON Schema document, draft 2020-12. */
export type JsonSchema = Record<string, unknown>;

const header = {
  apiVersion: { const: 'leaderfall.io/v1', description: 'May head a file; says nothing more.' },
  kind: { const: 'KafkaBrokerFailure', description: 'May head a file; says nothing more.' },
};

/** What a person may write: every field optional, unknown fields refused, defaults stated. `faultKinds`: what there is to do. */
export function experimentJsonSchema(faultKinds: string[]): JsonSchema {
  const { kind } = experimentSchema.shape.fault.unwrap().shape;
  const { properties, ...rest } = z.toJSONSchema(experimentSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if ((zodSchema as unknown) === kind) jsonSchema.enum = faultKinds;
    },
  });
  return { title: 'Leaderfall experiment', ...rest, properties: { ...header, ...properties } };
}

/** What `record` returns and `leaderfall run --json` prints. Open: a later version may add fields. */
export function resultJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(resultSchema, {
    io: 'output',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // A result carries values; what they would have been by default is the experiment schema's to say.
      delete jsonSchema.default;
    },
  });
  return { title: 'Leaderfall result', ...schema };
}
