/**
 * What the schemas of all kinds are made of. The message of every check is a noun phrase that
 * completes "expected ...", and every field carries the words that editors and `unnest explain` show.
 * zod comes as a namespace everywhere: the bundle is then without its forty languages, a third of it.
 */
import * as z from 'zod';
import { FILE_NAME_PATTERN, type FileName, NAME_PATTERN } from '../model/names.ts';
import { formatSize, parseSize, SIZE_PATTERN } from '../model/sizes.ts';
import { documentLimits } from './limits.ts';

export const API_VERSION = 'unnest.dev/v1';

/** What is said of a field, besides what its checks say by themselves. */
export interface FieldWords {
  /** Sentences: what it is, with its unit. */
  readonly description: string;
  /** What a change costs a guest that runs: `restart`, or a phrase. Absent where no guest is meant. */
  readonly change?: string;
}

/** @param more further keywords for the JSON Schema, where the check itself is code. */
export function field<T extends z.ZodType>(
  schema: T,
  words: FieldWords,
  more: Readonly<Record<string, unknown>> = {},
): T {
  return schema.meta({ ...words, ...more });
}

/** Of a field whose value is shown to nobody: JSON Schema's word for it. */
export const SECRET = { writeOnly: true } as const;

/** A text of one form, which is said the same way in an error and in an explanation. */
export const textOf = (pattern: RegExp, expects: string) =>
  z.string(expects).regex(pattern, { error: expects, abort: true }).meta({ expects });

export const name = textOf(
  NAME_PATTERN,
  'a name of 1 to 32 lower-case letters, digits and "-", starting with a letter and not ending in "-"',
);

/** The border at which checked text becomes a name; a transform would hide defaults from editors. */
export const branded = <T extends string>(schema: z.ZodString) =>
  schema as unknown as z.ZodType<T, string>;

export const file = branded<FileName>(
  textOf(
    FILE_NAME_PATTERN,
    "the name of a file in the partition's store (letters, digits, . _ + -), not a path",
  ),
);

export const size = (bytesMin: number, bytesMax: number) =>
  sizeText(bytesMin, bytesMax, (bytes) => bytes >= bytesMin && bytes <= bytesMax, '');

/** Memory of a guest: libvirt rounds anything else up to the next MiB when it starts. */
export const memorySize = (bytesMin: number, bytesMax: number) =>
  sizeText(
    bytesMin,
    bytesMax,
    (bytes) => bytes >= bytesMin && bytes <= bytesMax && bytes % 2 ** 20 === 0,
    ', in whole MiB',
  );

function sizeText(
  bytesMin: number,
  bytesMax: number,
  fits: (bytes: number) => boolean,
  more: string,
) {
  const range = `from ${formatSize(bytesMin)} to ${formatSize(bytesMax)}${more}`;
  const expects = 'a whole number with KiB, MiB, GiB or TiB, such as 512MiB';
  return textOf(SIZE_PATTERN, expects)
    .transform((text, context) => {
      const bytes = parseSize(text);
      if (bytes !== undefined && fits(bytes)) return bytes;
      context.addIssue({ code: 'custom', message: range });
      return z.NEVER;
    })
    .meta({ expects: `${expects}, ${range}` });
}

export const wholeNumber = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.int(error).min(min, { error, abort: true }).max(max, { error, abort: true });
};

/** One of a closed list of words. */
export const oneOf = <const W extends readonly string[]>(words: W) =>
  z.enum(words, words.join(', '));

/** A list of distinct texts. */
export const listOf = <T extends z.ZodType>(item: T, itemsMax: number) =>
  z
    .array(item)
    .max(itemsMax, `at most ${itemsMax} entries`)
    .refine((list) => new Set(list).size === list.length, 'every entry only once')
    .meta({ uniqueItems: true });

/** `name` or `prefix/name`, as Kubernetes has them. */
const labelKey = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
    'a label key as in Kubernetes (up to 63 letters, digits, . _ -, and before a / up to 253 more)',
  );

const { labelsMax, labelCharactersMax } = documentLimits;

const labelMap = (valueCharactersMax: number) =>
  z
    .record(
      labelKey,
      z
        .string()
        .max(valueCharactersMax, `at most ${valueCharactersMax} characters`)
        .refine((text) => !/\p{Cs}/u.test(text), 'text without half characters (lone surrogates)'),
    )
    .refine((map) => Object.keys(map).length <= labelsMax, `at most ${labelsMax} of them`)
    .meta({ maxProperties: labelsMax });

type LabelMap = Readonly<Record<string, string>>;

/** The same for every kind, but for the words about the name. */
export function metadataOf<T extends z.ZodType>(nameSchema: T, nameDescription: string) {
  return field(
    z
      .strictObject({
        name: field(nameSchema, { description: nameDescription }),
        labels: field(labelMap(63).optional(), {
          description: 'Texts by key, for selecting and grouping. libvirt is not told.',
          change: 'none',
        }),
        annotations: field(labelMap(253).optional(), {
          description: 'Texts by key, for people and other tools. unnest does not look at them.',
          change: 'none',
        }),
      })
      .refine(
        ({ labels, annotations }) =>
          charactersOf(labels) + charactersOf(annotations) <= labelCharactersMax,
        `at most ${labelCharactersMax} characters of labels and annotations together`,
      ),
    { description: 'Who it is.' },
  );
}

function charactersOf(map: LabelMap = {}): number {
  return Object.entries(map).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
}

/** What every document begins with. */
export const headerOf = <const K extends string>(kind: K) => ({
  apiVersion: field(z.literal(API_VERSION), { description: 'The version of this language.' }),
  kind: field(z.literal(kind), { description: 'What the document describes.' }),
});
