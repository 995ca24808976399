/** When guests run, by libvirt's own word, which whoever has started them does not wait for. */
import type { Connection, Domain } from '../../src/libvirt/index.ts';

/**
 * Resolves once so many have started since; to be asked before they are.
 * @param prefix of their names
 */
export async function untilStarted(
  connection: Connection,
  prefix: string,
  count: number,
): Promise<{ readonly all: Promise<void> }> {
  let left = count;
  let tell = () => {};
  const all = new Promise<void>((done) => (tell = done));
  const stop = await connection.subscribe(['lifecycle'], ({ domain, event }) => {
    if (event !== 'started' || !domain.name.startsWith(prefix)) return;
    left -= 1;
    if (left === 0) tell();
  });
  return { all: all.then(stop) };
}

/** The same machine again, as one that is nobody's. */
export function foreignXml(xml: string, name: string): string {
  return xml
    .replace(/<name>.*<\/name>/, `<name>${name}</name>`)
    .replace(/<uuid>.*<\/uuid>/, '')
    .replace(/<metadata>[^]*<\/metadata>/, '');
}

export async function domainsNamed(
  { domains }: Connection,
  prefix: string,
): Promise<readonly Domain[]> {
  return (await domains.list()).filter(({ name }) => name.startsWith(prefix));
}
