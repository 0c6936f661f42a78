import { z } from 'zod';
import { durationSchema as duration } from '../durations.ts';

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

/** One thing worth telling. */
export interface News {
  kind: (typeof newsKinds)[number];
  /** Workflow id of the promotion. */
  promotion: string;
  name: string;
  subject: string;
  stage?: string;
  /** One sentence for people. */
  text: string;
  /** Command lines that answer it. */
  commands?: string[];
  /** The promotion in Temporal's Web UI, where the worker knows its address. */
  link?: string;
}

/** Where a request goes and who signs it; secrets by name. */
export type Endpoint = Pick<Channel, 'url' | 'urlFrom' | 'secret'>;

/** The body of the request that tells it. */
export function bodyOf({ kind }: Channel, news: News): unknown {
  if (kind === 'webhook') return { schema: 'leaderfall.io/news/v1', ...news };
  const { name, subject, text, commands = [], link } = news;
  const lines = [
    `*${escaped(name)}* ${escaped(subject)}`,
    escaped(text),
    ...commands.map((command) => `\`${escaped(command)}\``),
    ...(link ? [`<${link}|Temporal>`] : []),
  ];
  return { text: lines.join('\n') };
}

/** What has a meaning in Slack's messages. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
