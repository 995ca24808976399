/**
 * What JSON costs to read, before it is read: thirty megabytes of `[],[],` become half a gigabyte of
 * empty lists. Counted is in bytes, of text that need not be JSON.
 */
const quote = '"'.charCodeAt(0);
const comma = ','.charCodeAt(0);
const backslash = '\\'.charCodeAt(0);
// The other bracket of each is two further on.
const list = '['.charCodeAt(0);
const mapping = '{'.charCodeAt(0);

/** @returns whether it holds at most so many values, nested at most so deep */
export function isAffordable(json: Uint8Array, valuesMax: number, depthMax: number): boolean {
  let values = 1;
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (inText) {
      if (byte === backslash) at += 1;
      else if (byte === quote) inText = false;
      continue;
    }
    if (byte === quote) inText = true;
    else if (byte === comma) values += 1;
    else if (byte === list || byte === mapping) {
      values += 1;
      depth += 1;
      if (depth > depthMax) return false;
    } else if (byte === list + 2 || byte === mapping + 2) depth -= 1;
    if (values > valuesMax) return false;
  }
  return true;
}
