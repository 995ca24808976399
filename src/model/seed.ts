/**
 * What a guest is told at its first boot: a cloud-init seed or an Ignition configuration. It may hold
 * secrets, so everything but the one who makes the file works with its digest. A seed is named after
 * that digest: what has a name never changes, and a running guest keeps the one that it has.
 */
import type { Brand } from './brand.ts';
import { type Owner, type PartitionOwner, secondaryUuid } from './identity.ts';
import { type SecondaryName, secondaryName } from './names.ts';
import { sha256 } from './sha256.ts';
import type { StoredState } from './volume.ts';

export const SEED_FORMS = ['cloud-init', 'ignition'] as const;
export type SeedForm = (typeof SEED_FORMS)[number];

/** `web.` and the 64 hexadecimal digits of its digest. */
export type SeedName = Brand<string, 'SeedName'>;

export type SeedContent =
  | {
      readonly form: 'cloud-init';
      /** Given to the guest byte by byte. */
      readonly userData: string;
      /** Null: the guest asks for its address by DHCP. */
      readonly networkConfig: string | null;
      readonly hostname: string;
      readonly sshAuthorizedKeys: readonly string[];
    }
  | { readonly form: 'ignition'; readonly config: string };

export interface Seed {
  readonly name: SeedName;
  readonly form: SeedForm;
  /** What its file takes of the store: known before it is made. */
  readonly sizeBytes: number;
}

export interface ObservedSeed {
  readonly name: SeedName;
  /** Null: it has no record of ours. */
  readonly owner: PartitionOwner | null;
  readonly state: StoredState;
  readonly form: SeedForm;
  readonly sizeBytes: number;
}

const pattern = /^([a-z0-9-]{1,32})\.([0-9a-f]{64})$/;

export function seedName(text: string): SeedName | undefined {
  const secondary = pattern.exec(text)?.[1];
  return secondary !== undefined && secondaryName(secondary) !== undefined
    ? (text as SeedName)
    : undefined;
}

/** Whose guest it is for. */
export function secondaryOf(name: SeedName): SecondaryName {
  // That it begins so, its type says.
  return name.slice(0, name.lastIndexOf('.')) as SecondaryName;
}

/** `sha256:` and 64 hexadecimal digits. */
export function digestIn(name: SeedName): string {
  return `sha256:${name.slice(name.lastIndexOf('.') + 1)}`;
}

/** The other way round; null for what is no digest. */
export function seedNamed(secondary: SecondaryName, digest: string | null): SeedName | null {
  return digest === null ? null : (seedName(digest.replace(/^sha256:/, `${secondary}.`)) ?? null);
}

/** What is to be known of a text. */
export interface TextFacts {
  readonly digest: string;
  /** As UTF-8. */
  readonly bytes: number;
}

export function textFacts(text: string): TextFacts {
  return { digest: sha256(text), bytes: new TextEncoder().encode(text).length };
}

/** @param factsOf of the long ones among the texts, which replicas have in common */
export function seedOf(
  secondary: SecondaryName,
  content: SeedContent,
  factsOf: (text: string) => TextFacts = textFacts,
): Seed {
  const { form } = content;
  const digits = digitsOf(content, factsOf);
  const name = `${secondary}.${digits}` as SeedName;
  return { name, form, sizeBytes: sizeOf(content, factsOf) };
}

/**
 * Of an Ignition configuration what `sha256sum` prints. Of what cloud-init is told, that of a list in
 * which every part stands with its own digest, so that no two contents have one list.
 */
function digitsOf(content: SeedContent, factsOf: (text: string) => TextFacts): string {
  const digestOf = (text: string | null) => (text === null ? null : factsOf(text).digest);
  const { form } = content;
  if (form === 'ignition') return factsOf(content.config).digest;
  const { userData, networkConfig, hostname, sshAuthorizedKeys } = content;
  const texts = [userData, networkConfig, keyLines(sshAuthorizedKeys)].map(digestOf);
  return sha256(JSON.stringify([form, hostname, ...texts]));
}

/** None of them has a line break in it. */
function keyLines(keys: readonly string[]): string {
  return keys.map((key) => `${key}\n`).join('');
}

const sectorBytes = 2048;
/** Directories and descriptors of ISO 9660, Joliet and Rock Ridge, and a name: some 70 KiB. */
const fileSystemBytes = 128 * 2 ** 10;
/** Around each key, and before each quotation mark in one. */
const quotesBytes = 8;

function sizeOf(content: SeedContent, factsOf: (text: string) => TextFacts): number {
  if (content.form === 'ignition') return factsOf(content.config).bytes;
  const { userData, networkConfig, sshAuthorizedKeys } = content;
  const keys = factsOf(keyLines(sshAuthorizedKeys)).bytes + quotesBytes * sshAuthorizedKeys.length;
  const lengths = [factsOf(userData).bytes, factsOf(networkConfig ?? '').bytes, keys];
  return lengths.reduce(
    (sum, bytes) => sum + Math.ceil(bytes / sectorBytes) * sectorBytes,
    fileSystemBytes,
  );
}

/**
 * cloud-init's own words about the machine: JSON, which is YAML. The instance stays the same through
 * every change, so that what is done once in a guest's life is not done again.
 */
export function metaDataOf(
  owner: Owner,
  { hostname, sshAuthorizedKeys }: Extract<SeedContent, { readonly form: 'cloud-init' }>,
): string {
  const data = {
    'instance-id': secondaryUuid(owner),
    'local-hostname': hostname,
    ...(sshAuthorizedKeys.length > 0 ? { 'public-keys': sshAuthorizedKeys } : {}),
  };
  return `${JSON.stringify(data, null, 2)}\n`;
}
