/** Colour, where a person looks and has not said no (no-color.org, force-color.org, TERM=dumb). */
import type { Output } from '../environment.ts';

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const same = (text: string) => text;

export const plain: Paint = {
  bold: same,
  dim: same,
  red: same,
  green: same,
  yellow: same,
  cyan: same,
};

const sgr = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;

const coloured: Paint = {
  bold: sgr(1),
  dim: sgr(2),
  red: sgr(31),
  green: sgr(32),
  yellow: sgr(33),
  cyan: sgr(36),
};

export function paintFor(output: Output, variables: ReadonlyMap<string, string>): Paint {
  return wantsColour(output, variables) ? coloured : plain;
}

function wantsColour(output: Output, variables: ReadonlyMap<string, string>): boolean {
  if ((variables.get('NO_COLOR') ?? '') !== '') return false;
  const force = variables.get('FORCE_COLOR') ?? '';
  if (force !== '') return force !== '0';
  return output.isTerminal && variables.get('TERM') !== 'dumb';
}

/** Makes text from elsewhere safe to print: a terminal must not obey what a guest or a file says. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) =>
    character === '\t' ? ' ' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
