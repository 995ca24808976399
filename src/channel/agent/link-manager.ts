/**
 * Whether NetworkManager or systemd-networkd configures an interface, as each writes it down for others: both
 * would undo what somebody else does there. Their tools need not be installed, nor a bus be in reach.
 */
import { type Files, FileError } from '../../daemon/runtime.ts';
import type { LinkManager } from './nic-decision.ts';

const bytesMax = 64 * 1024;

/** @throws FileError where that cannot be known */
export async function linkManagerOf(
  { index, name }: { readonly index: number; readonly name: string },
  files: Pick<Files, 'read'>,
): Promise<LinkManager> {
  const ofNetworkd = networkdSays(await linesOf(`/run/systemd/netif/links/${index}`, files));
  if (ofNetworkd.status !== 'none') return ofNetworkd;
  const ofNetworkManager = await linesOf(`/run/NetworkManager/devices/${index}`, files);
  if (ofNetworkManager.get('managed') !== 'true') return { status: 'none' };
  const remedy = `it can do so alone (ipv4.never-default yes, ipv4.ignore-auto-dns yes), or leave it (nmcli device set ${name} managed no)`;
  return { status: 'managed', by: 'NetworkManager', remedy };
}

function networkdSays(said: ReadonlyMap<string, string>): LinkManager {
  const by = 'systemd-networkd';
  switch (said.get('ADMIN_STATE')) {
    case undefined:
    case 'unmanaged':
    // It is gone.
    case 'linger':
      return { status: 'none' };
    case 'pending':
    case 'initialized':
      return { status: 'deciding', by };
    default: {
      const file = said.get('NETWORK_FILE') ?? 'one of its .network files';
      const remedy = `${file} matches it; it can do so alone (DHCP=yes with UseRoutes=no, UseGateway=no, UseDNS=no), or leave it (Unmanaged=yes)`;
      return { status: 'managed', by, remedy };
    }
  }
}

/** `KEY=VALUE`, one a line. Of a file that is not there there are none. */
async function linesOf(
  path: string,
  files: Pick<Files, 'read'>,
): Promise<ReadonlyMap<string, string>> {
  try {
    const text = new TextDecoder().decode(await files.read(path, bytesMax));
    return new Map(
      text.split('\n').flatMap((line) => {
        const at = line.indexOf('=');
        return at < 0 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
      }),
    );
  } catch (error) {
    if (error instanceof FileError && error.code === 'Missing') return new Map();
    throw error;
  }
}
