/** Which parts of a document are shown to nobody: those whose field says `writeOnly`, and what may be meant for one. */
import type * as z from 'zod';
import { closest } from './closest.ts';
import { shapeOf, unwrap } from './introspect.ts';
import type { DocumentPath } from './paths.ts';

/** @param value what stands there; undefined: nothing does, and its line is that of its neighbours */
export function holdsSecret(schema: z.ZodType, path: DocumentPath, value: unknown): boolean {
  let at: unknown = schema;
  for (const step of path) {
    if (isSecret(at)) return true;
    at = childOf(at, String(step));
  }
  if (isSecret(at)) return true;
  // Anything but a mapping may be what belongs one level further down.
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  return value !== undefined && !isMapping && hasSecrets(at);
}

/** Of a key that there is no field for. */
export function mayMeanSecret(
  key: string,
  known: readonly string[],
  schema: z.ZodType,
  path: DocumentPath,
): boolean {
  let at: unknown = schema;
  for (const step of path) at = childOf(at, String(step));
  if (known.some((each) => isSecret(childOf(at, each)))) return true;
  const meant = closest(key, known);
  return meant !== null && hasSecrets(childOf(at, meant));
}

function hasSecrets(schema: unknown): boolean {
  return isSecret(schema) || Object.values(shapeOf(unwrap(schema)) ?? {}).some(hasSecrets);
}

/** Said of the field itself, outside of whatever is wrapped into it. */
function isSecret(schema: unknown): boolean {
  const { meta } = (schema ?? {}) as { meta?: () => { writeOnly?: boolean } | undefined };
  return meta?.call(schema)?.writeOnly === true;
}

function childOf(schema: unknown, name: string): unknown {
  const shape = shapeOf(unwrap(schema));
  return shape !== undefined && Object.hasOwn(shape, name) ? shape[name] : undefined;
}
