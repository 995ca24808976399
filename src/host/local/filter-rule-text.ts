/** One rule as nft lists it in JSON (libnftables-json(5)), in the words of `filter-rules.ts`. */
import * as z from 'zod';
import { PROTOCOL_NUMBERS } from './filter-egress.ts';

const text = z.union([z.string(), z.number()]);
const named = z.union([
  z.strictObject({ meta: z.strictObject({ key: z.string() }) }),
  z.strictObject({ ct: z.strictObject({ key: z.string() }) }),
  z.strictObject({ payload: z.strictObject({ protocol: z.string(), field: z.string() }) }),
]);
type Named = z.output<typeof named>;
const masked = z.strictObject({ '&': z.tuple([named, z.string()]) });
const prefix = z.strictObject({ prefix: z.strictObject({ addr: z.string(), len: z.int() }) });
const anyOf = z.strictObject({ set: z.array(text) });
const left = z.union([named, masked, z.strictObject({ concat: z.array(named) })]);
/** By the largest unit of each that keeps it whole, as nft has it: 1 mbytes is 2^20. */
const unitBytes = { bytes: 1, kbytes: 2 ** 10, mbytes: 2 ** 20 } as const;
const unit = z.enum(['bytes', 'kbytes', 'mbytes']);
const byteLimit = z.strictObject({
  inv: z.literal(true),
  rate: z.int(),
  rate_unit: unit,
  per: z.literal('second'),
  burst: z.int(),
  burst_unit: unit,
});
const statement = z.union([
  z.strictObject({
    match: z.strictObject({
      op: z.enum(['==', '!=', 'in']),
      left,
      right: z.union([text, z.array(text), prefix, anyOf]),
    }),
  }),
  z.strictObject({ mangle: z.strictObject({ key: named, value: text }) }),
  z.strictObject({ limit: byteLimit }),
  z.strictObject({ goto: z.strictObject({ target: z.string() }) }),
  z.strictObject({ accept: z.null() }),
  z.strictObject({ drop: z.null() }),
]);
type Statement = z.output<typeof statement>;
type Match = Extract<Statement, { match: unknown }>['match'];

/** What is none of these words stays as it is, so that it is like no rule of ours. */
export function ruleText(expr: readonly unknown[]): string {
  return expr
    .map((each) => {
      const parsed = statement.safeParse(each);
      return parsed.success ? statementText(parsed.data) : JSON.stringify(each);
    })
    .join(' ');
}

function statementText(each: Statement): string {
  if ('match' in each) return matchText(each.match);
  if ('mangle' in each) return `${nameText(each.mangle.key)} set ${each.mangle.value}`;
  if ('limit' in each) return limitText(each.limit);
  if ('goto' in each) return `goto ${each.goto.target}`;
  return 'accept' in each ? 'accept' : 'drop';
}

function limitText(limit: z.output<typeof byteLimit>): string {
  const rate = limit.rate * unitBytes[limit.rate_unit];
  const burst = limit.burst * unitBytes[limit.burst_unit];
  return `limit rate over ${rate} bytes/second burst ${burst} bytes`;
}

function matchText({ op, left: what, right }: Match) {
  const values = valuesIn(right);
  if ('&' in what) return `${nameText(what['&'][0])} & ${what['&'][1]} ${op} ${values.join(',')}`;
  const names = 'concat' in what ? what.concat : [what];
  const is = names.map(nameText).join(' . ');
  // Of flags, one of several is enough.
  const isIn = op === 'in' && names.every((name) => 'ct' in name);
  const word = op === '!=' ? ' !=' : op === '==' || isIn ? '' : ` ${op}`;
  return `${is}${word} ${values.map((value) => valueText(value, names)).join(',')}`;
}

function valuesIn(right: Match['right']): readonly (string | number)[] {
  if (typeof right !== 'object') return [right];
  if ('prefix' in right) return [`${right.prefix.addr}/${right.prefix.len}`];
  return 'set' in right ? [`{ ${right.set.join(', ')} }`] : right;
}

/** nft has the names that /etc/protocols has. */
const protocols = new Map<string, number>(Object.entries(PROTOCOL_NUMBERS));
const interfaces = ['iifname', 'oifname', 'ibrname'];

function nameText(name: Named): string {
  if ('payload' in name) return `${name.payload.protocol} ${name.payload.field}`;
  if ('ct' in name) return `ct ${name.ct.key}`;
  return /^[io]ifname$/.test(name.meta.key) ? name.meta.key : `meta ${name.meta.key}`;
}

function valueText(value: string | number, [name]: readonly Named[]): string {
  if (name !== undefined && 'meta' in name && name.meta.key === 'l4proto') {
    return `${protocols.get(`${value}`) ?? value}`;
  }
  const isInterface = name !== undefined && 'meta' in name && interfaces.includes(name.meta.key);
  return isInterface && !String(value).startsWith('@') ? `"${value}"` : String(value);
}
