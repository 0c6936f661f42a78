import { streamOf } from '../experiment/identity.ts';
import type { Leftover } from '../experiment/result.ts';
import type { KafkaPort } from '../kafka/port.ts';
import { poll } from '../kubernetes/wait.ts';

/** What a run has in a Kafka: its topic and the consumer groups that read it. */
export interface Stream {
  runId: string;
  /** Epoch ms, by its name. */
  expires: number;
  topic: string;
  groups: string[];
}

/**
 * How long a group whose consumer died without a word may keep it as a member: a session and a rebalance of 10 s each, counted anew
 * where its coordinator died as well. ms
 */
const memberMs = 30_000;

/** How long brokers that have just come back may take to delete a topic that they agreed to delete. ms */
const deletionMs = 30_000;

/** The streams of all runs in a Kafka, by the names of topics and groups. */
export async function streamsIn(kafka: KafkaPort): Promise<Stream[]> {
  const [{ partitions }, groups] = await Promise.all([
    kafka.metadata({ topics: 'all', timeoutMs: 5_000 }),
    kafka.groups(),
  ]);
  const found = new Map<string, Stream>();
  const add = (name: string, group?: string) => {
    const stream = streamOf(name);
    if (!stream) return;
    const entry = found.get(stream.topic) ?? { ...stream, groups: [] };
    if (group !== undefined) entry.groups.push(group);
    found.set(stream.topic, entry);
  };
  for (const { topic } of partitions) add(topic);
  for (const group of groups) add(group, group);
  return [...found.values()];
}

const stillListed =
  'the brokers agreed to delete it and still list it; they do it when the broker that holds its replica is back';

/**
 * Deletes the topic and sees it gone, then its groups. A topic that may not be deleted is emptied and left over, as is one that stays
 * listed and a group that keeps a member, for longer than `patienceMs`.
 */
export async function removeStream(
  kafka: KafkaPort,
  { topic, groups }: Pick<Stream, 'topic' | 'groups'>,
  options: { signal: AbortSignal; patienceMs?: number },
): Promise<{ done: string[]; leftovers: Leftover[] }> {
  const done: string[] = [];
  const leftovers: Leftover[] = [];
  const answer = await kafka.deleteTopic(topic);
  if (answer === 'deleted') {
    const unlisted = await poll(async () => ((await kafka.topicListed(topic)) ? undefined : true), {
      everyMs: 200,
      until: Date.now() + (options.patienceMs ?? deletionMs),
      signal: options.signal,
    });
    if (unlisted) done.push(`topic ${topic} removed`);
    else leftovers.push({ kind: 'Topic', name: topic, reason: stillListed });
  }
  if (answer === 'refused') {
    await kafka.purgeTopic(topic);
    const reason = 'the brokers refuse topic deletion (delete.topic.enable=false); its records were removed';
    leftovers.push({ kind: 'Topic', name: topic, reason });
  }
  const until = Date.now() + (options.patienceMs ?? memberMs);
  for (const group of groups) {
    const gone = await poll(
      async () => {
        const left = await kafka.deleteGroup(group);
        return left === 'in-use' ? undefined : left;
      },
      { everyMs: 500, until, signal: options.signal },
    );
    if (gone === 'deleted') done.push(`group ${group} removed`);
    if (!gone) leftovers.push({ kind: 'Group', name: group, reason: 'it still has a member' });
  }
  return { done, leftovers };
}
