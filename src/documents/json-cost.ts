/**
 * What JSON costs to read and to check, before it is read: thirty megabytes of `[],[],` become half a
 * gigabyte of empty lists, and a check that finds a mistake in each of a million values takes seconds.
 * Counted is in bytes, of text that need not be JSON.
 */
export interface JsonBounds {
  readonly depthMax: number;
  /** Of the whole. */
  readonly valuesMax: number;
  /** Of what stands less deep than the items: the lists of them, and what is around those. */
  readonly outerValuesMax: number;
  /** Of each item: what begins at the third level, as `{}` in `{"documents":[{}]}`. */
  readonly itemValuesMax: number;
  /** Of each name in a mapping, as it is written; names add up to paths. */
  readonly keyBytesMax: number;
  /** Of each text, as it is written. */
  readonly textBytesMax: number;
}

const itemDepth = 3;

const quote = '"'.charCodeAt(0);
const comma = ','.charCodeAt(0);
const colon = ':'.charCodeAt(0);
const backslash = '\\'.charCodeAt(0);
// The other bracket of each is two further on.
const list = '['.charCodeAt(0);
const mapping = '{'.charCodeAt(0);

/** @returns whether it stays within all of the bounds */
export function isWithinBounds(json: Uint8Array, bounds: JsonBounds): boolean {
  // The first value of all has nothing before it that is counted.
  if (bounds.valuesMax < 1) return false;
  const count = counterOf(bounds);
  let depth = 0;
  let textBytes = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === quote) {
      textBytes = bytesOfText(json, at + 1);
      if (textBytes > bounds.textBytesMax) return false;
      // To the quote that ends it.
      at += textBytes + 1;
    } else if (byte === colon) {
      if (textBytes > bounds.keyBytesMax) return false;
    } else if (byte === comma) {
      if (!count(depth)) return false;
    } else if (byte === list || byte === mapping) {
      depth += 1;
      if (depth > bounds.depthMax || !count(depth, true)) return false;
    } else if (byte === list + 2 || byte === mapping + 2) depth -= 1;
  }
  return true;
}

/** Up to the quote that ends it, or the end of all. */
function bytesOfText(json: Uint8Array, from: number): number {
  let at = from;
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
  return at - from;
}

/** @returns what counts one more value, and says whether there may be as many */
function counterOf({ valuesMax, outerValuesMax, itemValuesMax }: JsonBounds) {
  let values = 1;
  let outerValues = 1;
  let itemValues = 0;
  return (depth: number, opens = false): boolean => {
    values += 1;
    if (depth < itemDepth) outerValues += 1;
    else if (depth === itemDepth && opens) itemValues = 1;
    else itemValues += 1;
    return values <= valuesMax && outerValues <= outerValuesMax && itemValues <= itemValuesMax;
  };
}

const unbounded = Number.POSITIVE_INFINITY;

/** @returns whether it holds at most so many values, nested at most so deep */
export function isAffordable(json: Uint8Array, valuesMax: number, depthMax: number): boolean {
  const itemBounds = { outerValuesMax: unbounded, itemValuesMax: unbounded };
  const textBounds = { keyBytesMax: unbounded, textBytesMax: unbounded };
  return isWithinBounds(json, { valuesMax, depthMax, ...itemBounds, ...textBounds });
}
