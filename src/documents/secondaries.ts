/** The documents of kind Secondary, expanded and judged beside each other. */
import type { FileName, SecondaryName } from '../model/names.ts';
import type { Secondary } from '../model/secondary.ts';
import type { Diagnostic } from './diagnostic.ts';
import { expand, expansionProblems } from './expand.ts';
import { documentLimits } from './limits.ts';
import type { Placed } from './placed.ts';
import type { SecondaryDocument } from './secondary-schema.ts';
import { startOrder } from './start-order.ts';

export interface Expanded {
  readonly secondaries: ReadonlyMap<SecondaryName, Secondary>;
  readonly diagnostics: readonly Diagnostic[];
}

export function expandAll(
  documents: readonly Placed<SecondaryDocument>[],
  mayExist: (name: string) => boolean,
): Expanded {
  const tooMany = tooManyReplicas(documents);
  if (tooMany !== null) return { secondaries: new Map(), diagnostics: [tooMany] };
  const order = startOrder(documents, mayExist);
  const diagnostics: Diagnostic[] = [...order.diagnostics];
  const found: Found = { secondaries: new Map(), diskUsers: new Map() };
  for (const placed of documents) {
    const problems = expansionProblems(placed);
    diagnostics.push(...problems);
    if (problems.length > 0) continue;
    const startAfter = order.startAfter.get(placed.document.metadata.name) ?? [];
    for (const secondary of expand(placed.document, startAfter)) {
      const problem = add(secondary, placed, found);
      if (problem === null) continue;
      diagnostics.push(problem);
      break;
    }
  }
  return { secondaries: found.secondaries, diagnostics };
}

interface Found {
  readonly secondaries: Map<SecondaryName, Secondary>;
  readonly diskUsers: Map<FileName, SecondaryName>;
}

function add(
  secondary: Secondary,
  { source }: Placed<SecondaryDocument>,
  { secondaries, diskUsers }: Found,
): Diagnostic | null {
  const { name, boot } = secondary;
  if (secondaries.has(name)) {
    const message = `another document already stands for a Secondary named "${name}"`;
    return source.complain('DuplicateName', ['metadata', 'name'], message);
  }
  secondaries.set(name, secondary);
  if (boot.kind !== 'disk') return null;
  const sharer = diskUsers.get(boot.file);
  if (sharer === undefined) {
    diskUsers.set(boot.file, name);
    return null;
  }
  const message = `Secondary "${sharer}" has the same disk, and two guests would destroy it`;
  return source.complain('DiskInUse', ['spec', 'boot', 'disk', 'file'], message);
}

function tooManyReplicas(documents: readonly Placed<SecondaryDocument>[]): Diagnostic | null {
  let count = 0;
  for (const { document, source } of documents) {
    count += document.spec.replicas ?? 1;
    if (count <= documentLimits.secondariesMax) continue;
    const message = `more than ${documentLimits.secondariesMax} Secondaries, replicas included`;
    const remedy = 'split them over several partitions';
    return source.complain('TooLarge', ['spec', 'replicas'], message, { remedy });
  }
  return null;
}
