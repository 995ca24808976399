/** What a schema of zod's has inside. Its classes carry these properties, but not in one common type. */

/** The fields of a mapping; undefined of anything else. */
export function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  return (schema as { shape?: Record<string, unknown> } | undefined)?.shape;
}

export function unwrap(schema: unknown): unknown {
  let at = schema as { def?: { innerType?: unknown; in?: unknown } } | undefined;
  // `in`: what a transform is given.
  for (let next = inner(at); next !== undefined; next = inner(at)) at = next as typeof at;
  return at;
}

function inner(schema: { def?: { innerType?: unknown; in?: unknown } } | undefined): unknown {
  return schema?.def?.innerType ?? schema?.def?.in;
}
