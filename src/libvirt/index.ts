/**
 * A client of libvirtd in plain TypeScript: no native code, no `virsh`. See README.md beside
 * this file for the reference.
 */
export {
  type Connection,
  connect,
  connectEventually,
  connectReadOnly,
  type EventualConnection,
  type ReadOnlyConnection,
} from './connection.ts';
export type { ConnectOptions, ReconnectOptions } from './connect-options.ts';
export type { ConsoleOptions } from './domain-writes.ts';
export type { ConnectionState } from './connection-state.ts';
export type { CallOptions } from './call-options.ts';
export type { CallReport, OnCall } from './call-report.ts';
export type { KeepaliveOptions } from './keepalive.ts';
export type { Timers } from './timers.ts';
export { ConnectionError, type ConnectionErrorReason, LibvirtError } from './errors.ts';
export { errorCodes, type LibvirtErrorCode } from './error-codes.ts';
export type { DomainLifecycle, EventKind, EventOf, LibvirtEvent } from './event-types.ts';
export type { Listener, Unsubscribe } from './subscriptions.ts';
export type {
  Checkpoint,
  Domain,
  Network,
  Nwfilter,
  NwfilterBinding,
  Snapshot,
  StoragePool,
  StorageVolume,
} from './handles.ts';
export { type DomainState, domainState, type DomainStateName } from './domain-state.ts';
export type { MemoryStatName, MemoryStats } from './memory-stats.ts';
export type { MetadataType, MetadataValue } from './metadata.ts';
export type { NetworkUpdate } from './networks.ts';
export type { StatsGroup } from './stats-groups.ts';
export type { BulkResult } from './xml-of-all.ts';
export type { ParamMap, ParamValue, TypedParam } from './wire/typed-params.ts';
export { parseUri, type Target } from './uri.ts';
export {
  childElement,
  childElements,
  parseXml,
  serializeXml,
  textOf,
  type XmlElement,
  xmlElement,
  XmlError,
  type XmlNode,
  type XmlPosition,
} from './xml.ts';
