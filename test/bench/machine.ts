/** What the figures were measured on: without it they mean nothing. */
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { ReadOnlyConnection } from '../../src/libvirt/index.ts';
import { libvirt } from './built.ts';

export async function describeMachine() {
  const connection = await libvirt.connectReadOnly();
  try {
    return {
      cpu: cpus()[0]?.model ?? 'unknown',
      cpus: cpus().length,
      memoryBytes: totalmem(),
      kernel: release(),
      node: process.version,
      libvirt: versionText(await connection.node.libvirtVersion()),
      hypervisor: versionText(await connection.node.hypervisorVersion()),
      domainType: process.env['UNNEST_DOMAIN_TYPE'] ?? 'unknown',
      /** What else was going on: the load of the last minute before the first row. */
      loadAverage: loadavg()[0] ?? 0,
    };
  } finally {
    connection.close();
  }
}

type Version = Awaited<ReturnType<ReadOnlyConnection['node']['libvirtVersion']>>;

function versionText({ major, minor, release: patch }: Version): string {
  return `${major}.${minor}.${patch}`;
}
