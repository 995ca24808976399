/** Where keys are typed: each is a request, and none is work or for the books. */
export const inputPath = '/console/input';

export function isTyping(url: string): boolean {
  return url.endsWith(inputPath);
}
