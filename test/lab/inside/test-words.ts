/**
 * The words of a contract's tests, for where there is no vitest: what is bundled for the lab's host has these in the place of
 * `vitest`. Prints a line for each test, and fails if one does.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { format } from 'node:util';

type Act = () => unknown;
type Case = (...args: never[]) => unknown;

interface Suite {
  readonly name: string;
  readonly parent: Suite | null;
  readonly before: Act[];
  readonly beforeEach: Act[];
  readonly afterEach: Act[];
  readonly after: Act[];
  readonly parts: (Suite | { readonly name: string; readonly act: Act })[];
}

const suiteOf = (name: string, parent: Suite | null): Suite => ({
  name,
  parent,
  before: [],
  beforeEach: [],
  afterEach: [],
  after: [],
  parts: [],
});
const whole = suiteOf('', null);
let current = whole;

export function describe(name: string, body: () => void): void {
  const suite = suiteOf(name, current);
  current.parts.push(suite);
  current = suite;
  body();
  current = suite.parent ?? whole;
}

const add = (name: string, act: Act) => void current.parts.push({ name, act });
const each = (rows: readonly unknown[]) => (name: string, act: Case) => {
  for (const row of rows) {
    // As vitest does: a row that is a list is that many arguments.
    const args = (Array.isArray(row) ? row : [row]) as never[];
    add(format(name, ...args), () => act(...args));
  }
};
const nothing = () => undefined;
const skip = Object.assign(nothing, { each: () => nothing });
export const test = Object.assign(add, { each, skip });

export const beforeAll = (act: Act) => void current.before.push(act);
export const beforeEach = (act: Act) => void current.beforeEach.push(act);
export const afterEach = (act: Act) => void current.afterEach.push(act);
export const afterAll = (act: Act) => void current.after.push(act);

/** Those that the contracts use. */
export const expect = (seen: unknown) => ({
  toBe: (wanted: unknown) => strictEqual(seen, wanted),
  toBeNull: () => strictEqual(seen, null),
  toEqual: (wanted: unknown) => deepStrictEqual(seen, wanted),
  toMatchObject: (wanted: object) => deepStrictEqual(only(seen, wanted), wanted),
  toContain: (part: unknown) => ok(has(seen, part), format('%o has no %o', seen, part)),
  not: {
    toContain: (part: unknown) => ok(!has(seen, part), format('%o has %o', seen, part)),
  },
});

function has(seen: unknown, part: unknown): boolean {
  return Array.isArray(seen) && seen.includes(part);
}

/** What of it the other one speaks of. */
function only(seen: unknown, wanted: unknown): unknown {
  if (typeof seen !== 'object' || seen === null) return seen;
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) return seen;
  const part = Object.entries(wanted).map(([key, value]) => {
    return [key, only((seen as Record<string, unknown>)[key], value)] as const;
  });
  return Object.fromEntries(part);
}

/** Runs what has been described. @param only what the names of those to run have in them */
export async function runTests(only = ''): Promise<void> {
  await run(whole, '', only);
}

async function run(suite: Suite, way: string, only: string): Promise<void> {
  const chain: Suite[] = [];
  for (let at: Suite | null = suite; at !== null; at = at.parent) chain.unshift(at);
  for (const act of suite.before) await act();
  for (const part of suite.parts) {
    const name = `${way} ${part.name}`.trim();
    if ('parts' in part) {
      await run(part, name, only);
      continue;
    }
    if (!name.includes(only)) continue;
    try {
      for (const each of chain) for (const act of each.beforeEach) await act();
      await part.act();
      for (const each of chain) for (const act of each.afterEach) await act();
      process.stdout.write(`ok ${name}\n`);
    } catch (error) {
      process.exitCode = 1;
      process.stdout.write(`failed ${name}: ${String(error)}\n`);
    }
  }
  for (const act of suite.after) await act();
}
