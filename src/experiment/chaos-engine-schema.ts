import { z } from 'zod';

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** Kubernetes reads an empty value like none. */
const variableSchema = z.strictObject({
  name: z.string(),
  value: text.nullish().transform((value) => value ?? ''),
});

/** What Litmus lets an experiment say of its own pods; of these only env, tolerations and nodeSelector steer anything here. */
const componentFields = {
  env: z.array(variableSchema).default([]),
  tolerations: z.array(z.looseObject({})).optional(),
  nodeSelector: z.record(z.string(), z.string()).optional(),
  configMaps: z.unknown().optional(),
  secrets: z.unknown().optional(),
  experimentAnnotations: z.unknown().optional(),
  experimentImage: z.unknown().optional(),
  experimentImagePullSecrets: z.unknown().optional(),
  resources: z.unknown().optional(),
  securityContext: z.unknown().optional(),
  statusCheckTimeouts: z.unknown().optional(),
};

/** A ChaosEngine as Litmus' 1.x to 3.x write it, for one experiment of Kafka. Strict, so that a typing error cannot go unseen. */
export const engineSchema = z.strictObject({
  apiVersion: z.literal('litmuschaos.io/v1alpha1'),
  kind: z.literal('ChaosEngine'),
  metadata: z.looseObject({ name: z.string().default('kafka-chaos') }).prefault({}),
  // What `kubectl get -o yaml` shows besides.
  status: z.unknown().optional(),
  spec: z.strictObject({
    annotationCheck: text.optional(),
    engineState: z.enum(['active', 'stop', '']).optional(),
    appinfo: z
      .strictObject({
        appns: z.string().optional(),
        applabel: z.string().optional(),
        appkind: z.string().optional(),
      })
      .prefault({}),
    auxiliaryAppInfo: z.string().optional(),
    chaosServiceAccount: z.string().optional(),
    components: z.looseObject({}).optional(),
    defaultHealthCheck: text.optional(),
    monitoring: text.optional(),
    jobCleanUpPolicy: z.enum(['delete', 'retain', '']).optional(),
    terminationGracePeriodSeconds: z.number().optional(),
    experiments: z
      .array(
        z.strictObject({
          name: z.string(),
          spec: z
            .strictObject({
              components: z.strictObject(componentFields).prefault({}),
              probe: z.array(z.looseObject({})).optional(),
              rank: z.number().optional(),
            })
            .prefault({}),
        }),
      )
      .min(1),
  }),
});

/** A checked ChaosEngine. */
export type Engine = z.output<typeof engineSchema>;
