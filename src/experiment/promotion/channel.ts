import { z } from 'zod';
import { durationSchema as duration } from '../duration-schema.ts';

const secretName = z
  .string()
  .regex(
    /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/,
    'must be the name of a secret in the worker’s folder of secrets',
  );

const endpoint = {
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  urlFrom: secretName.optional().describe('Or the secret that holds the URL.'),
  secret: secretName.optional().describe('Secret by which requests are signed (HMAC-SHA256).'),
};

const oneUrl = (value: { url?: string; urlFrom?: string }) =>
  (value.url === undefined) !== (value.urlFrom === undefined);

const noUrl = { error: 'needs one of url and urlFrom', path: ['url'] };

/** What is done at the end of a promotion. */
export const hookSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('http'),
      ...endpoint,
      within: duration.default('1h').describe('So long it is tried again.'),
    })
    .refine(oneUrl, noUrl)
    .describe('POST of the record.'),
  z
    .strictObject({
      kind: z.literal('start'),
      workflowType: z.string().min(1),
      workflowId: z.string().min(1).optional().describe('Default: of this promotion, and the hook’s place.'),
      taskQueue: z.string().min(1),
      input: z.unknown().optional().describe('Its one argument; default the record.'),
    })
    .describe('Start of any workflow in the same Temporal namespace.'),
  z
    .strictObject({
      kind: z.literal('signal'),
      workflowId: z.string().min(1),
      signal: z.string().min(1),
      input: z.unknown().optional().describe('Its one argument; default the record.'),
    })
    .describe('Signal to any workflow in the same Temporal namespace.'),
]);

/** One hook. */
export type Hook = z.output<typeof hookSchema>;

/** What is told of a promotion. */
export const newsKinds = ['started', 'waiting', 'verdict', 'ended'] as const;

/** Who is told. Whether it arrives never changes how a promotion ends. */
export const channelSchema = z
  .strictObject({
    kind: z
      .enum(['webhook', 'slack'])
      .describe('webhook: JSON; slack: a message that Slack’s incoming webhooks take.'),
    ...endpoint,
    on: z.array(z.enum(newsKinds)).default([...newsKinds]),
  })
  .refine(oneUrl, noUrl);

/** One channel. */
export type Channel = z.output<typeof channelSchema>;

/** Where a request goes and who signs it; secrets by name. */
export type Endpoint = Pick<Channel, 'url' | 'urlFrom' | 'secret'>;
