/**
 * The fields of an event, made safe for a log: short, few, and without characters that a terminal
 * obeys when somebody reads the log there (JSON itself only escapes the first 32).
 */
import type { DaemonEvent } from '../../report/event.ts';

const textCharactersMax = 1000;
const entriesMax = 32;
const depthMax = 4;

export type LogFields = Readonly<Record<string, unknown>>;

export function logFieldsOf({ kind, ...fields }: DaemonEvent): LogFields {
  return { event: kind, ...(bounded(fields, 0) as LogFields) };
}

function bounded(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shortText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === depthMax) return '…';
  if (Array.isArray(value)) {
    return value.slice(0, entriesMax).map((entry) => bounded(entry, depth + 1));
  }
  // No prototype: no key of an event comes from a guest, and none ever shall mean anything.
  const fields = Object.create(null) as Record<string, unknown>;
  for (const [key, field] of Object.entries(value).slice(0, entriesMax)) {
    fields[key] = bounded(field, depth + 1);
  }
  return fields;
}

function shortText(text: string): string {
  const cut = text.length > textCharactersMax ? `${text.slice(0, textCharactersMax)}…` : text;
  return cut.replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
