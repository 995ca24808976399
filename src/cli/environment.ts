/**
 * Everything a command may touch, handed in by `bin/`: so a command is a function of its arguments
 * and of this, and can be run in a test without a process.
 */
import type { DaemonClient } from '../channel/client.ts';
import type { HostGroups } from '../host/host-groups.ts';
import type { Installer } from '../host/installer.ts';
import type { Host, HostView } from '../host/ports.ts';
import type { InstallationId } from '../model/identity.ts';
import type { PartitionName } from '../model/names.ts';
import type { ThinPool } from '../model/thin-pool.ts';

export interface Output {
  write(text: string): void;
  /** Resolves when what was written has been taken, or can no longer be, or the signal fires. */
  taken(signal: AbortSignal): Promise<void>;
  /** Whether a person is looking: decides on colour and moving lines. */
  readonly isTerminal: boolean;
  /** In characters; 80 where nobody says. */
  readonly columns: number;
}

/** Where somebody sits: standard input and output are one terminal. */
export interface Terminal {
  /** From now on each key comes as it is typed, and nothing is made of it before. */
  open(on: TerminalSigns): RawTerminal;
}

export interface TerminalSigns {
  readonly onBytes: (bytes: Uint8Array) => void;
  /** Nobody sits there any more. */
  readonly onHangUp: () => void;
}

export interface RawTerminal {
  write(bytes: Uint8Array): void;
  /** As of `Output`. */
  taken(signal: AbortSignal): Promise<void>;
  /** It is again as it was. */
  close(): void;
}

export interface Forwarding {
  /** Port 0: any that is free. */
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
  /** Of one connection. @param message for people */
  readonly onTrouble: (message: string) => void;
}

export interface Forwarded {
  /** That is listened on. */
  readonly port: number;
  /** Also what is open. */
  close(): Promise<void>;
}

/** Where the host is and which share of it is meant. */
export interface Target {
  readonly uri: string;
  readonly stateDir: string;
  /** The thin pool that Volumes are in; null, or not said: none is. */
  readonly thinPool?: ThinPool | null;
  readonly partition: PartitionName;
}

export interface Opened<T> {
  readonly host: T;
  close(): Promise<void>;
}

/** Gives up when the signal fires. */
export type Open<T> = (target: Target, signal: AbortSignal) => Promise<Opened<T>>;

export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly finding: string;
  /** What to do about it; null where nothing needs doing. */
  readonly mend: string | null;
}

export interface AgentSettings {
  readonly host:
    | { readonly kind: 'vsock'; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string };
  /** Absolute, as all paths here. */
  readonly runDir: string;
  readonly group: string | null;
  readonly folder: string | null;
  readonly configureNic: boolean;
}

export interface Environment {
  readonly variables: ReadonlyMap<string, string>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Null when standard input is not a terminal: then nobody can be asked. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Null where standard input or output is none. */
  readonly terminal: Terminal | null;
  /** What comes there, as it comes, until the signal fires. */
  readonly standardInput: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly readStandardInput: (bytesMax: number, signal: AbortSignal) => Promise<Uint8Array>;
  /** Cannot change anything, by type and on the wire. */
  readonly openView: Open<HostView>;
  readonly openHost: Open<Host>;
  readonly lock: (target: Target) => Promise<{ release(): Promise<void> }>;
  readonly diagnose: (target: Target, signal: AbortSignal) => Promise<readonly Check[]>;
  /** What works for all partitions of this machine; null: it has no cgroup v2. */
  readonly hostGroups: () => Promise<HostGroups | null>;
  /** Null where there is no such socket, so that no daemon runs. Talks to nobody yet. */
  readonly findDaemon: (socketPath: string) => Promise<DaemonClient | null>;
  /** Whether a daemon has accepted documents of this partition, be it running or not. */
  readonly isKept: (stateDir: string, partition: PartitionName) => Promise<boolean>;
  /** Runs in a Primary until the signal fires. */
  readonly agent: (settings: AgentSettings, stop: AbortSignal) => Promise<void>;
  /** Puts the daemon on this machine. */
  readonly installer: Installer;
  readonly newInstallationId: () => InstallationId;
  /** A folder for what only this user's commands keep. */
  readonly userStateDir: () => Promise<string>;
  /** Runs in our place at the terminal, without a shell. Resolves to its exit code. */
  readonly runProgram: (
    name: string,
    args: readonly string[],
    stop: AbortSignal,
  ) => Promise<number>;
  /** Rejects where it cannot listen. */
  readonly forward: (forwarding: Forwarding) => Promise<Forwarded>;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** The first Ctrl-C: begin nothing more. */
  readonly stop: AbortSignal;
  /** The second: break off what is under way. */
  readonly abort: AbortSignal;
}
