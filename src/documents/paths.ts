/** Paths into a document: how people write them, and where they lead in its nodes. */
import { type Document, isAlias, isCollection, isMap, isNode, isPair, isScalar } from 'yaml';

export type DocumentPath = readonly (string | number)[];

/** Where in the text: at the key of the last step, or at its value. */
export type Anchor = 'key' | 'value';

/** `spec.disks[0].file`, as kubectl writes paths. */
export function formatPath(path: DocumentPath): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

/** For a part that is missing, the place of the nearest part that is there. */
export function offsetOf(document: Document.Parsed, path: DocumentPath, anchor: Anchor): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? document.range[0];
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (!isCollection(node)) return offset;
    const found = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && item.key.value === step)
      : node.items[Number(step)];
    if (found === undefined) return offset;
    node = isPair(found) ? found.value : found;
    const anchored = isPair(found) && (anchor === 'key' || !isScalar(node)) ? found.key : node;
    offset = (isNode(anchored) ? anchored.range?.[0] : undefined) ?? offset;
  }
  return offset;
}
