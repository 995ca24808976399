/** JSON that a tenant has written inside of a document. */

/** The members of the outermost object; null if it is none, or no JSON. */
export function parsedJson(text: string): ReadonlyMap<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return new Map(Object.entries(value));
  } catch {
    return null;
  }
}
