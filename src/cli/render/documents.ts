/** Effective documents as YAML, with a comment beside each value, or as JSON. */
import type { Origin, Part } from '../../documents/effective.ts';
import type { PartitionName } from '../../model/names.ts';
import { printable } from './paint.ts';

type Parts = readonly Part[];

/** What it prints is a bundle again, of the same meaning. */
export function documentsYaml(partition: PartitionName, documents: readonly Parts[]): string {
  const texts = documents.map((parts) => `---\n${yamlOf(parts, '')}`);
  return `# Partition ${partition}\n${texts.join('')}`;
}

function yamlOf(parts: Parts, indent: string): string {
  return parts
    .map((part) => {
      if (part.kind === 'value') {
        return `${indent}${part.name}: ${flow(part.value)} # ${originText(part.origin)}\n`;
      }
      if (part.parts.length === 0) return `${indent}${part.name}: {}\n`;
      return `${indent}${part.name}:\n${yamlOf(part.parts, `${indent}  `)}`;
    })
    .join('');
}

/** JSON is YAML; only what is surely a text without quotes is written without them. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'string' && isPlain(value)) return value;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, each]) => `${JSON.stringify(key)}: ${flow(each)}`,
  );
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function isPlain(text: string): boolean {
  return (
    (/^[A-Za-z][A-Za-z0-9._/-]*$/.test(text) || /^[1-9][0-9]*[KMGT]iB$/.test(text)) &&
    !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
  );
}

export function documentsJson(partition: PartitionName, documents: readonly Parts[]): string {
  const items = documents.map((parts) => ({
    document: plainObject(parts),
    origins: Object.fromEntries(origins(parts, '')),
  }));
  return `${JSON.stringify({ partition, items }, null, 2)}\n`;
}

function plainObject(parts: Parts): object {
  return Object.fromEntries(
    parts.map((part) => [part.name, part.kind === 'value' ? part.value : plainObject(part.parts)]),
  );
}

function origins(parts: Parts, above: string): (readonly [string, string])[] {
  return parts.flatMap((part): (readonly [string, string])[] => {
    const path = `${above}${part.name}`;
    if (part.kind === 'group') return origins(part.parts, `${path}.`);
    return [[path, originText(part.origin)]];
  });
}

function originText(origin: Origin): string {
  return origin === 'default' ? origin : printable(`${origin.file}:${origin.line}`);
}
