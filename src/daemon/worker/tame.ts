/** Text of a worker, for people's eyes: in a terminal, in a log, in a status file. */

/**
 * Control characters, line ends, half characters, and those that change the direction of writing.
 * A tab is left in: it is what it looks like.
 */
const untame = /[^\P{C}\t]|[\u2028\u2029]/gu;

/** Each is replaced by as many code units, so that columns still count. */
export function tame(text: string, charactersMax: number): string {
  return text.slice(0, charactersMax).replace(untame, (found) => '\ufffd'.repeat(found.length));
}
