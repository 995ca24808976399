/**
 * What tells whether two bundles say the same. In which order their documents stand, and in which
 * files, does not count: a document that moves to another file changes nothing on the host.
 */
import { createHash } from 'node:crypto';
import { byName } from '../../model/names.ts';
import type { PlainDocument } from '../../report/submission.ts';
import { canonicalText } from './plain-value.ts';

/** `sha256:` and 64 hexadecimal digits. @param documents whose values are plain */
export function documentsDigest(documents: readonly PlainDocument[]): string {
  const texts = documents.map(({ value }) => canonicalText(value)).sort(byName);
  // A list in JSON: no document can end where another one seems to begin.
  const digest = createHash('sha256')
    .update(`[${texts.join(',')}]`)
    .digest('hex');
  return `sha256:${digest}`;
}
