import { z } from 'zod';
import { promotionSchema } from './promotion/promotion.ts';
import { promotionRecordSchema } from './promotion/record.ts';
import { recurrenceSchema } from './recurrence.ts';
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
  return { title: 'Leaderfall result', ...openSchema(resultSchema) };
}

/** What `leaderfall promote start` takes. */
export function promotionJsonSchema(): JsonSchema {
  return inputSchema('Leaderfall promotion', 'Promotion', promotionSchema);
}

/** What `leaderfall schedule` takes. */
export function scheduleJsonSchema(): JsonSchema {
  return inputSchema('Leaderfall schedule', 'Schedule', recurrenceSchema);
}

/** What a promotion gives. Open: a later version may add fields. */
export function promotionRecordJsonSchema(): JsonSchema {
  return { title: 'Leaderfall promotion record', ...openSchema(promotionRecordSchema) };
}

/** Names of the schemas; they are written to schema/<name>.schema.json. */
export const schemaNames = ['experiment', 'result', 'schedule', 'promotion', 'promotion-record'] as const;

/** One of them. */
export type SchemaName = (typeof schemaNames)[number];

/** All JSON Schemas. `faultKinds`: what there is to do. */
export function jsonSchemas(faultKinds: string[]): Record<SchemaName, JsonSchema> {
  return {
    experiment: experimentJsonSchema(faultKinds),
    result: resultJsonSchema(),
    schedule: scheduleJsonSchema(),
    promotion: promotionJsonSchema(),
    'promotion-record': promotionRecordJsonSchema(),
  };
}

function inputSchema(title: string, kind: string, schema: z.ZodType): JsonSchema {
  const { properties, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { title, ...rest, properties: { ...header, kind: { ...header.kind, const: kind }, ...properties } };
}

function openSchema(output: z.ZodType): JsonSchema {
  return z.toJSONSchema(output, {
    io: 'output',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // A result carries values; what they would have been by default is the experiment schema's to say.
      delete jsonSchema.default;
    },
  });
}
