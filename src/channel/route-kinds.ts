/** What routes have in common, told by their address: what they bring, and whether they ask for work. */
import { isTyping } from './typing.ts';

/** Those that bring a bundle: a mebibyte and more of memory, and a worker. */
export function takesDocuments(url: string): boolean {
  return url.endsWith('/desired') || url.endsWith('/plan');
}

/** Those of which the answer takes a look at all of the host, or a bundle that is read, judged and written. */
export function looksAtAll(url: string): boolean {
  return url.endsWith('/rollback') || url.endsWith('/written');
}

/** Those that bring bytes of an Image. */
export function takesBytes(url: string): boolean {
  return url.endsWith('/bytes');
}

/**
 * Those for which more is done than to say what is known. Bytes of Images are bounded by their own number,
 * and whoever types does not keep others from their work.
 */
export function asksForWork(method: string, url: string): boolean {
  if (takesBytes(url) || isTyping(url)) return false;
  return method !== 'GET' || url.endsWith('/usage');
}
