/** Everything that `unnest explain` knows, and how a word finds it. */
import { type FieldFacts, fieldsOfKind } from '../../documents/fields.ts';
import { kinds } from '../../documents/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import { blockExplanations } from './blocks.ts';
import { conditionExplanations } from './conditions.ts';
import { diagnosticExplanations } from './diagnostics.ts';
import { exitCodeExplanations } from './exit-codes.ts';
import type { Explanation } from './explanation.ts';
import { fetchExplanations } from './fetches.ts';
import { hostErrorExplanations } from './host-errors.ts';
import { imageExplanations } from './images.ts';
import {
  apiExplanations,
  clientExplanations,
  refusalExplanations,
  wishExplanations,
} from './refusals.ts';

export type Topic =
  | {
      readonly kind: 'code';
      readonly group: string;
      readonly code: string;
      readonly text: Explanation;
    }
  | { readonly kind: 'field'; readonly field: FieldFacts };

type CodeTopic = Extract<Topic, { kind: 'code' }>;

const codesOf = (group: string, texts: Readonly<Record<string, Explanation>>): CodeTopic[] =>
  Object.entries(texts).map(([code, text]) => ({ kind: 'code', group, code, text }));

/** By group, in the order in which one meets them. */
export const codeTopics: readonly CodeTopic[] = [
  ...codesOf('a mistake in documents', diagnosticExplanations),
  ...codesOf('why a plan leaves a Secondary alone', blockExplanations),
  ...codesOf('a condition', conditionExplanations),
  ...codesOf('a refusal of unnestd', {
    ...refusalExplanations,
    ...wishExplanations,
    ...apiExplanations,
  }),
  ...codesOf('trouble with unnestd', clientExplanations),
  ...codesOf('an error of the host', hostErrorExplanations),
  ...codesOf('why an image is refused', imageExplanations),
  ...codesOf('why an image is not fetched', fetchExplanations),
  ...codesOf('an exit code', exitCodeExplanations),
];

/** What a word means: a code, the number of an exit code, a field, or the end of a field's path. */
export function topicsFor(word: string): readonly Topic[] {
  const text = word.replace(/\[\d+\]/g, '').toLowerCase();
  const codes = codeTopics.filter(
    (topic) => topic.code.toLowerCase() === text || numberOf(topic) === text,
  );
  if (codes.length > 0) return codes;
  const fields = allFields().map((field) => ({ field, name: nameOf(field).toLowerCase() }));
  const whole = fields.filter(
    ({ field, name }) => name === text || field.path.toLowerCase() === text,
  );
  const found = whole.length > 0 ? whole : fields.filter(({ name }) => name.endsWith(`.${text}`));
  return found.map(({ field }) => ({ kind: 'field', field }));
}

/** Every word that means something, for "did you mean" and for completion. */
export function topicWords(): readonly string[] {
  const fields = allFields();
  const paths = fields.map(({ path }) => path).filter((path) => path !== '');
  const ends = paths.map((path) => path.slice(path.lastIndexOf('.') + 1));
  const codes = codeTopics.map(({ code }) => code);
  return [...new Set([...codes, ...fields.map(nameOf), ...paths, ...ends])];
}

/** `Secondary.spec.memory`; a kind by itself for the whole document. */
export function nameOf({ kind, path }: FieldFacts): string {
  return path === '' ? kind : `${kind}.${path}`;
}

/** The number of an exit code, as text; null for any other code. */
export function numberOf({ group, code }: CodeTopic): string | null {
  if (group !== 'an exit code') return null;
  return `${exitCodes[code as keyof typeof exitCodes]}`;
}

function allFields(): readonly FieldFacts[] {
  return kinds.flatMap(fieldsOfKind);
}
