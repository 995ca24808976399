/** From what a document says of the first boot to the seed of each of its Secondaries. */
import type { SecondaryName } from '../model/names.ts';
import {
  type Seed,
  type SeedContent,
  type SeedName,
  seedOf,
  textFacts,
  type TextFacts,
} from '../model/seed.ts';
import type { Diagnostic } from './diagnostic.ts';
import { replicaNames, withName } from './expand.ts';
import type { Placed } from './placed.ts';
import type { SecondaryDocument } from './secondary-schema.ts';

/** RFC 1123; of Linux a whole name has 64 characters at most. */
const hostnamePattern =
  /^(?=.{1,64}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

export function firstBootProblems({ document, source }: Placed<SecondaryDocument>): Diagnostic[] {
  const { cloudInit, ignition } = document.spec;
  if (cloudInit === undefined) return [];
  if (ignition !== undefined) {
    const message = 'cloudInit is there as well, and a guest has one or the other';
    const remedy = 'take the one out that its image does not use';
    return [
      source.complain('InvalidValue', ['spec', 'ignition'], message, { remedy, excerpt: false }),
    ];
  }
  const wrong = replicaNames(document)
    .map((name) => withName(cloudInit.hostname, name))
    .find((hostname) => !hostnamePattern.test(hostname));
  if (wrong === undefined) return [];
  const message = `with the name filled in it is "${wrong}": expected at most 64 lower-case letters, digits, "-" and "." as in a host name`;
  return [source.complain('InvalidValue', ['spec', 'cloudInit', 'hostname'], message)];
}

/**
 * By the name of the Secondary. What all replicas have in common is read once.
 * @param contents takes what is in each seed
 */
export function seedsFor(
  { spec: { cloudInit, ignition } }: SecondaryDocument,
  contents: Map<SeedName, SeedContent>,
): (name: SecondaryName) => Seed | null {
  const known = new Map<string, TextFacts>();
  const factsOf = (text: string) => {
    const facts = known.get(text) ?? textFacts(text);
    known.set(text, facts);
    return facts;
  };
  return (name) => {
    const content = contentFor(name, cloudInit, ignition);
    if (content === null) return null;
    const seed = seedOf(name, content, factsOf);
    contents.set(seed.name, content);
    return Object.freeze(seed);
  };
}

function contentFor(
  name: SecondaryName,
  cloudInit: SecondaryDocument['spec']['cloudInit'],
  ignition: SecondaryDocument['spec']['ignition'],
): SeedContent | null {
  if (ignition !== undefined) return Object.freeze({ form: 'ignition', config: ignition.config });
  if (cloudInit === undefined) return null;
  const { userData, networkConfig = null, hostname, sshAuthorizedKeys } = cloudInit;
  return Object.freeze({
    form: 'cloud-init',
    userData,
    networkConfig,
    hostname: withName(hostname, name),
    sshAuthorizedKeys,
  });
}
