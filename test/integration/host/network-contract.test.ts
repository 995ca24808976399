/** The networks of a real libvirt do what the simulated host's do: the same lines for both. */
import { networkReader } from '../../../src/host/libvirt/network-reader.ts';
import { networkWriter } from '../../../src/host/libvirt/network-writer.ts';
import { connect, connectReadOnly } from '../../../src/libvirt/index.ts';
import { describeNetworkContract } from '../../contract/network-contract.ts';
import { virsh } from '../../support/cli.ts';

describeNetworkContract('a real libvirt', async () => {
  const [connection, readOnly] = await Promise.all([connect(), connectReadOnly()]);
  return {
    host: { networks: { ...networkReader(connection), ...networkWriter(connection) } },
    view: { networks: networkReader(readOnly) },
    makeForeign: async (name) => {
      await connection.networks.define(
        `<network><name>${name}</name><ip address='10.231.250.1' netmask='255.255.255.0'/></network>`,
      );
    },
    spoil: async ({ networkName }, _name, address) => {
      const record = `<host ip='${address}'/>`;
      await virsh('net-update', networkName, 'delete', 'dns-host', record, '--config');
    },
    dispose: async () => {
      connection.close();
      readOnly.close();
    },
  };
});
