import type { Channel, newsKinds } from './channel.ts';

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
