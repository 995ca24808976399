/** Volumes that begin with the data of another, judged beside each other. One that has no document may still be on the host. */
import { findCycles } from './cycles.ts';
import type { Diagnostic } from './diagnostic.ts';
import { documentLimits } from './limits.ts';
import type { Placed } from './placed.ts';
import type { VolumeDocument } from './volume-schema.ts';

type PlacedVolume = Placed<VolumeDocument>;
type Spec = VolumeDocument['spec'];

export function copyProblems(placed: readonly PlacedVolume[]): readonly Diagnostic[] {
  if (placed.every(({ document }) => document.spec.copyOf === undefined)) return [];
  const byName = new Map<string, PlacedVolume>(
    placed.map((each) => [each.document.metadata.name, each]),
  );
  const sourceOf = ({ document }: PlacedVolume) => byName.get(document.spec.copyOf ?? '');
  const cycles = findCycles(placed, (each) => [sourceOf(each) ?? []].flat());
  return [
    ...placed.flatMap((each) => problemsOf(each, sourceOf(each))),
    ...(cycles.length > 0 ? cycles.map(complainOf) : tooLong(placed, sourceOf)),
  ];
}

/** Each of them takes a pass that has all before it. The first is told. */
function tooLong(
  placed: readonly PlacedVolume[],
  sourceOf: (each: PlacedVolume) => PlacedVolume | undefined,
): readonly Diagnostic[] {
  for (const last of placed) {
    let length = 0;
    for (let each = sourceOf(last); each !== undefined; each = sourceOf(each)) {
      length += 1;
      if (length <= documentLimits.copyChainMax) continue;
      const message = `it is a copy of a copy, and so on, more than ${documentLimits.copyChainMax} deep`;
      const remedy = 'name one that is nearer to the first';
      return [last.source.complain('TooLarge', ['spec', 'copyOf'], message, { remedy })];
    }
  }
  return [];
}

function problemsOf(
  { document: { spec }, source }: PlacedVolume,
  from: PlacedVolume | undefined,
): readonly Diagnostic[] {
  const { copyOf } = spec;
  if (copyOf === undefined) return [];
  const complain = (path: string, message: string, remedy: string) =>
    source.complain('InvalidValue', ['spec', path], message, { remedy });
  if (spec.image !== undefined && spec.provision === 'Copy') {
    const message = `it cannot begin as Volume "${copyOf}" and as Image "${spec.image}"`;
    return [complain('copyOf', message, 'say one of the two')];
  }
  const there = from?.document.spec;
  if (there === undefined) return [];
  if (there.format !== spec.format) {
    const message = `Volume "${copyOf}" is ${there.format}, and a copy has the same format`;
    return [complain('format', message, `say format: ${there.format}`)];
  }
  if (groundOf(there) === groundOf(spec)) return [];
  const message = `Volume "${copyOf}" ${liesOn(there)}, and so does a copy of it`;
  const remedy =
    groundOf(there) === null
      ? 'take image and provision out'
      : `say image: ${groundOf(there)} and provision: Overlay`;
  return [complain('copyOf', message, remedy)];
}

/** The Image that an overlay lies on. */
function groundOf({ image, provision }: Spec): string | null {
  return provision === 'Overlay' ? (image ?? null) : null;
}

function liesOn(spec: Spec): string {
  const ground = groundOf(spec);
  return ground === null ? 'lies on no Image' : `lies on Image "${ground}"`;
}

function complainOf(cycle: readonly PlacedVolume[]): Diagnostic {
  const [first] = cycle;
  if (first === undefined) throw new Error('a cycle without members');
  const shown = [...cycle, first]
    .slice(0, namesShownMax)
    .map(({ document }) => document.metadata.name);
  const message =
    cycle.length === 1
      ? `Volume "${shown[0]}" would begin as a copy of itself`
      : `none of them could ever begin: ${shown.join(' is a copy of ')}`;
  return first.source.complain('InvalidValue', ['spec', 'copyOf'], message, { remedy: null });
}

const namesShownMax = 50;
