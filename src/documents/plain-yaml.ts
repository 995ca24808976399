/**
 * A reader for the plainest YAML, which is what most documents are: mappings in mappings, one
 * `key: value` a line, nothing quoted, `[a, b]` and `{ a: b }` if nothing is nested in them. It is twenty times as fast as the whole of YAML and
 * answers `undefined` to everything else, down to an indentation it does not like, for the yaml
 * package to read. Whatever it does answer is what the yaml package would: a property test.
 */
import { documentLimits } from './limits.ts';

type Mapping = Record<string, unknown>;

// Indentation, then a key with or without a value and a comment, or a comment alone, or nothing.
// Keys end before YAML's own bound of 1024. No two runs of blanks stand side by side, so that it takes no longer than the line is.
const linePattern =
  /( *)(?:([A-Za-z][A-Za-z0-9._/-]{0,252}):(?: +([A-Za-z0-9](?:[A-Za-z0-9._=/,+@$() -]*[A-Za-z0-9._=/,+@$()-])?|[[{][A-Za-z0-9._=/,+@$(): -]*[}\]]))?(?: +#[^\n\r]*)?|#[^\n\r]*)?(?:\n|$)/y;

/** The value of one document; null for nothing but comments. */
export function readPlainYaml(text: string): Mapping | null | undefined {
  const root: Mapping = {};
  const open: { readonly indent: number; readonly mapping: Mapping }[] = [];
  let pending: { readonly mapping: Mapping; readonly key: string } | null = null;
  linePattern.lastIndex = text.startsWith('---\n') ? 4 : 0;
  while (linePattern.lastIndex < text.length) {
    const match = linePattern.exec(text);
    if (match === null) return undefined;
    const [, blanks = '', key, written] = match;
    if (key === undefined) continue;
    const indent = blanks.length;
    if (pending !== null) {
      if (indent <= (open.at(-1)?.indent ?? -1)) return undefined;
      const mapping: Mapping = {};
      pending.mapping[pending.key] = mapping;
      open.push({ indent, mapping });
    } else if (open.length === 0) open.push({ indent, mapping: root });
    while ((open.at(-1)?.indent ?? -1) > indent) open.pop();
    const at = open.at(-1);
    if (at?.indent !== indent || open.length > documentLimits.depthMax) return undefined;
    if (isSpecial(key) || Object.hasOwn(at.mapping, key)) return undefined;
    if (written === undefined) pending = { mapping: at.mapping, key };
    else {
      const value = valueOf(written);
      if (value === undefined) return undefined;
      at.mapping[key] = value;
      pending = null;
    }
  }
  if (pending !== null) return undefined;
  return open.length === 0 ? null : root;
}

function valueOf(text: string): unknown {
  const inside = text.slice(1, -1).trim();
  if (text.startsWith('[')) return text.endsWith(']') ? listOf(inside) : undefined;
  if (text.startsWith('{')) return text.endsWith('}') ? mappingOf(inside) : undefined;
  return scalar(text);
}

const itemPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._=/+@$() -]*[A-Za-z0-9._=/+@$()-])?$/;
const pairPattern = /^([A-Za-z][A-Za-z0-9._/-]{0,252}): +(.*)$/;

function listOf(inside: string): unknown {
  if (inside === '') return [];
  const items = inside.split(',').map((item) => itemOf(item.trim()));
  return items.includes(undefined) ? undefined : items;
}

function mappingOf(inside: string): Mapping | undefined {
  const mapping: Mapping = {};
  for (const pair of inside === '' ? [] : inside.split(',')) {
    // A pair of another form is as little a pair as one of the key `null`.
    const [, key = 'null', text = ''] = pairPattern.exec(pair.trim()) ?? [];
    const value = itemOf(text);
    if (value === undefined || isSpecial(key) || Object.hasOwn(mapping, key)) return undefined;
    mapping[key] = value;
  }
  return mapping;
}

function itemOf(text: string): ReturnType<typeof scalar> {
  return itemPattern.test(text) ? scalar(text) : undefined;
}

/** As YAML's core schema has it, where that is beyond doubt. */
function scalar(text: string): string | number | boolean | undefined {
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  if (/^[0-9]/.test(text)) return /^[0-9]+[KMGT]iB$/.test(text) ? text : undefined;
  return isSpecial(text) ? undefined : text;
}

function isSpecial(text: string): boolean {
  return text.length <= 5 && /^(?:true|false|null)$/i.test(text);
}
