/**
 * What a Primary is told, as JSON: without who the host's operators are, where things are on the host, and
 * whose what is that is not its own. Operators get the same values as they are. By the names of fields, and
 * of texts only those that people read, so that documents and what guests are called stay what they are.
 */
const operator = 'an operator of the host';
/** As `connections.ts` and `followed-folder.ts` call them; a Primary is called that. */
const isPrimary = (submitter: string) => submitter.startsWith('Primary ');

const rules: readonly (readonly [pattern: RegExp, put: string])[] = [
  [/\buid \d+, pid \d+/g, operator],
  [/ as of partition [a-z0-9-]+ of installation [0-9a-f-]+/g, ' as of another partition'],
  [
    // Disks of a Primary's own are called by their serial numbers, and are its affair.
    /(?<![\w./-])\/(?:var|etc|run|srv|root|home|tmp|sys|proc|dev(?!\/disk\/by-id\/virtio-))(?:\/[^\s'"`,;:()]+)+/g,
    '(a path of the host)',
  ],
  // Of the whole volume group; what is long was cut before it comes here.
  [/\bLVM says "[^"]*(?:"|$)/g, 'LVM has failed'],
];

function discreet(text: string): string {
  return rules.reduce((said, [pattern, put]) => said.replace(pattern, put), text);
}

const texts: ReadonlySet<string> = new Set(['message', 'detail', 'why']);

/** @returns undefined: nothing */
export function discreetJson(value: unknown): string | undefined {
  return JSON.stringify(value, (key, each: unknown) => {
    if (key === 'installation') return undefined;
    if (key === 'failures' && Array.isArray(each))
      return each.map((line) => discreet(String(line)));
    if (typeof each !== 'string') return each;
    if (key === 'submitter') return isPrimary(each) ? each : operator;
    return texts.has(key) ? discreet(each) : each;
  });
}
