/** What `unnest explain` prints. */
import { codeTopics, nameOf, numberOf, type Topic } from '../explain/topics.ts';
import { kinds } from '../../documents/schema.ts';
import type { Paint } from './paint.ts';
import { wrap } from './wrap.ts';

export function renderTopics(topics: readonly Topic[], columns: number, paint: Paint): string {
  return topics.map((topic) => renderTopic(topic, columns, paint)).join('\n');
}

function renderTopic(topic: Topic, columns: number, paint: Paint): string {
  const lines = (text: string) => wrap(text, columns, '  ');
  if (topic.kind === 'code') {
    const { code, group, text } = topic;
    const number = numberOf(topic);
    const head = `${paint.bold(code)}${number === null ? '' : ` (${number})`}: ${group}`;
    return `${head}\n${lines(text.means)}\n${lines(`What to do: ${text.todo}`)}`;
  }
  const { field } = topic;
  const { description, required, allowed, change, children } = field;
  const facts = [
    required ? 'Required.' : `Default: ${field.default ?? 'none'}`,
    `Allowed: ${allowed}`,
    ...(change === null ? [] : [`Changing it on a running guest: ${change}`]),
    ...(children.length === 0 ? [] : [`In it: ${children.join(', ')}`]),
  ];
  return `${paint.bold(nameOf(field))}\n${lines(description)}\n${facts.map(lines).join('')}`;
}

/** Everything there is to ask for. */
export function renderTopicList(columns: number, paint: Paint): string {
  const groups = new Map<string, string[]>();
  for (const topic of codeTopics) {
    const words = groups.get(topic.group) ?? [];
    const number = numberOf(topic);
    groups.set(topic.group, [...words, number === null ? topic.code : `${topic.code} (${number})`]);
  }
  groups.set('a kind of document', [...kinds]);
  groups.set('a field', ['such as spec.memory or Partition.spec.limits']);
  return [...groups]
    .map(([group, words]) => `${paint.bold(group)}\n${wrap(words.join(', '), columns, '  ')}`)
    .join('');
}
