/**
 * All that `daemon/` and `channel/` may touch of the machine: its clock, timers, chance, files and
 * the signs that files give. One object, handed in by `bin/`, so that a test runs the whole daemon
 * on a clock that stands still and on files in memory. The linter forbids the globals there.
 */
import type { Duplex } from 'node:stream';
import type { HostAddress } from '../partition/host-fit.ts';

export interface Clock {
  /** Monotonic, in milliseconds, from any beginning: for durations. */
  now(): number;
  /** Milliseconds since the epoch: for people. It may jump either way. */
  wall(): number;
}

export interface Timers {
  /** Calls `act` once, after `ms`. @returns how to stop that. Keeps no process alive. */
  after(ms: number, act: () => void): () => void;
  /** Resolves after `ms`, or when the signal fires, whichever is first. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export type FileKind = 'file' | 'folder' | 'link' | 'other';

export interface FileEntry {
  readonly name: string;
  readonly kind: FileKind;
}

/** What tells whether a file is still the one that was read. */
export interface FileFacts {
  readonly kind: FileKind;
  readonly bytes: number;
  /** Of the device and inode: another file of the same name has another. */
  readonly identity: string;
  /** Of the last change of content or mode, which nobody can set back: milliseconds since the epoch. */
  readonly changedAt: number;
}

/** Paths are absolute. Each method rejects with a `FileError` and nothing else. */
export interface Files {
  /**
   * At most `bytesMax`; a larger one is `TooLarge`. Follows links, and reads regular files only.
   * @param within a folder without links in its path: a file that is not below it when it is open
   * is `PermissionDenied`, whatever links have led to it
   */
  read(path: string, bytesMax: number, within?: string): Promise<Uint8Array>;
  /** Of what is in a folder, by name. A folder that is not there is `Missing`. */
  list(path: string): Promise<readonly FileEntry[]>;
  /** Follows links. */
  facts(path: string): Promise<FileFacts>;
  /** Where a path leads when every link in it is followed. */
  resolve(path: string): Promise<string>;
  /**
   * All or nothing, also when the machine loses power: a temporary file beside it, fsync, rename,
   * fsync of the folder. A crash may leave the temporary file, called `.NAME.*.new`.
   * @param mode such as 0o640
   */
  replace(path: string, content: string, mode: number): Promise<void>;
  /** As `replace`, but not flushed: for what a reboot takes away anyway. */
  swap(path: string, content: string, mode: number): Promise<void>;
  /** Adds to a file, which is made if it is not there. Not flushed; a crash may leave a part of it. */
  append(path: string, content: string | Uint8Array, mode: number): Promise<void>;
  /** Of what is not there it is done already. */
  remove(path: string): Promise<void>;
  /** With its parents; of one that is there it is done already. */
  makeFolder(path: string, mode: number): Promise<void>;
  /**
   * Tells of every change at or below a folder that is there, as it sees it, and of links that are
   * swapped. A sign says that something may have changed, never what. Resolves once nothing is
   * missed any more. @param onSign name: what it is about, where that is known
   */
  watch(folder: string, onSign: (sign: FileSign, name?: NameSign) => void): Promise<FileWatch>;
}

/**
 * `swapped`: a whole was put in the place of another, by a rename of a folder or a link, so that it
 * is complete. `changed`: any other change, which may be the first of several. `lost`: the folder
 * itself is gone, or can no longer be watched.
 */
export type FileSign = 'swapped' | 'changed' | 'lost';

/**
 * One name below a watched folder. Signs of names come in the order of what happened, but for that
 * of a link that is `swapped`, which comes some time after the one that its name was entered. A
 * file that is made and written to is entered first, one that is renamed or linked is only entered.
 */
export interface NameSign {
  /** With no link in it, but for the name itself. */
  readonly path: string;
  /** `entered`: the name came, or went. `written`: its content or mode was changed in place. */
  readonly change: 'entered' | 'written';
}

export interface FileWatch {
  close(): Promise<void>;
}

export type FileErrorCode =
  | 'Missing'
  | 'PermissionDenied'
  | 'TooLarge'
  | 'NotAFile' // a folder, a device, a socket
  | 'NoSpace' // the disk or the quota is full
  | 'ReadOnly' // the file system does not take writes
  | 'Failed'; // anything else

export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: FileErrorCode;

  /** @param message what we were doing, with the path, without repeating the cause */
  constructor(code: FileErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** Who is at the other end of a Unix socket, as the kernel says (SO_PEERCRED). */
export interface PeerCredentials {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

/**
 * Which VM is at the other end of a vsock connection, as the kernel says: a guest cannot choose its CID.
 * Which VM has that CID by now is another question.
 */
export interface VmPeer {
  readonly cid: number;
  /** Below 1024: whoever has opened it is root in the VM. */
  readonly port: number;
  /** Whether the VM that has connected still runs, as far as the kernel knows. */
  readonly isAlive: () => boolean;
}

/** Where to listen. A loopback address is for what anybody on the machine may read. */
export type Address =
  | {
      readonly kind: 'unix';
      readonly path: string;
      /** Such as 0o660. */
      readonly mode: number;
      /** The group's name; null: the daemon's own. */
      readonly group: string | null;
    }
  | { readonly kind: 'loopback'; readonly port: number };

export interface Sockets {
  /**
   * Takes the place of a socket that a crash has left behind; one that somebody answers on is left
   * alone, and is an error. @param onConnection the stream stays open for writing when the other
   * side has ended, until it is ended here; peer null: of a loopback connection, or the kernel would
   * not say
   */
  listen(
    address: Address,
    onConnection: (stream: Duplex, peer: PeerCredentials | null) => void,
  ): Promise<Listening>;
  /** For one VM, whose hypervisor connects at `path` for it; the folder has to be closed to others. */
  listenToVm(path: string, onConnection: (stream: Duplex) => void): Promise<Listening>;
  /** For VMs of this machine, by vsock. @param onConnection as of `listen`; nothing is read yet */
  listenToVms(
    port: number,
    onConnection: (stream: Duplex, peer: VmPeer) => void,
  ): Promise<Listening>;
  /**
   * Whether somebody takes a connection there, over TCP; it is closed at once. Not if that cannot be known
   * before the signal fires. Never rejects. @param from the host's own address that it is tried from
   */
  takesConnections(to: TcpAddress, from: string, signal: AbortSignal): Promise<boolean>;
}

export interface TcpAddress {
  readonly address: string;
  readonly port: number;
}

export interface Listening {
  /** Takes no more connections; those there are stay. Removes the socket. */
  close(): Promise<void>;
}

export interface Runtime {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly files: Files;
  readonly sockets: Sockets;
  /** From 0 up to, and not including, 1. */
  readonly random: () => number;
  /** The IPv4 addresses that the machine has by now. @throws Error if they cannot be read */
  readonly addresses: () => readonly HostAddress[];
}
