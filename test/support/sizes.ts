/**
 * `npm run check:size`: how long files and functions are. A report, not a gate: a file past 200
 * lines or a function past 40 is asking to be two things, and sometimes has an answer.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const src = join(root, 'src');

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, lines: readFileSync(join(src, file), 'utf8').split('\n').length - 1 }))
  .sort((a, b) => b.lines - a.lines);

const median = files[Math.floor(files.length / 2)]?.lines ?? 0;
const longest = files.slice(0, 3).map(({ file, lines }) => `${file} (${lines})`);
console.log(`${files.length} files, median ${median} lines; longest: ${longest.join(', ')}`);

interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly filename: string;
}

const rules = [
  '-A',
  'all',
  '-W',
  'max-lines-per-function',
  '-W',
  'max-lines',
  '--format',
  'json',
  'src',
];
const linted = execFileSync('node_modules/.bin/oxlint', rules, { cwd: root, encoding: 'utf8' });
const { diagnostics } = JSON.parse(linted) as { readonly diagnostics: readonly Diagnostic[] };
for (const { filename, message } of diagnostics) console.log(`  ${filename}: ${message}`);
console.log(`${diagnostics.length} files or functions over the guide (200 and 40 lines of code)`);
