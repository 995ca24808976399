/** A host by its libvirt URI: a view that cannot write, or the whole. */
import { connect, connectReadOnly } from '../../libvirt/index.ts';
import type { PartitionName } from '../../model/names.ts';
import { localInstallation } from '../local/installation.ts';
import { localStore, storePath } from '../local/store.ts';
import type { Host, HostView } from '../ports.ts';
import { domainReader } from './domain-reader.ts';
import { domainWriter } from './domain-writer.ts';
import { calling } from './host-error-from.ts';

export interface LibvirtTarget {
  readonly uri: string;
  readonly stateDir: string;
  readonly partition: PartitionName;
}

export interface Open<T> {
  readonly host: T;
  close(): Promise<void>;
}

export async function openLibvirtView(
  target: LibvirtTarget,
  signal: AbortSignal,
): Promise<Open<HostView>> {
  const { uri, stateDir, partition } = target;
  const connection = await calling(`connecting to ${uri}`, () => connectReadOnly({ uri, signal }));
  return {
    host: {
      domains: domainReader(connection, storePath(stateDir, partition)),
      store: localStore(stateDir),
      // Without the writer also at run time.
      installation: { read: () => localInstallation(stateDir).read() },
    },
    close: async () => connection.close(),
  };
}

export async function openLibvirtHost(
  target: LibvirtTarget,
  signal: AbortSignal,
): Promise<Open<Host>> {
  const { uri, stateDir, partition } = target;
  const connection = await calling(`connecting to ${uri}`, () => connect({ uri, signal }));
  const storeDir = storePath(stateDir, partition);
  return {
    host: {
      domains: { ...domainReader(connection, storeDir), ...domainWriter(connection, storeDir) },
      store: localStore(stateDir),
      installation: localInstallation(stateDir),
    },
    close: async () => connection.close(),
  };
}
