import type { CallOptions } from './call-options.ts';
import type { OnCall } from './call-report.ts';
import type { KeepaliveOptions } from './keepalive.ts';
import { systemTimers, type Timers } from './timers.ts';
import { defaultReadOnlySocketPath, defaultSocketPath, parseUri } from './uri.ts';

/** How a lost connection is made again. */
export interface ReconnectOptions {
  /** Wait before the first attempt; doubled for each further one. Default 100. */
  readonly delayMsMin: number;
  /** The longest wait. Default 10,000. Each wait is cut by up to half at random. */
  readonly delayMsMax: number;
}

export interface ConnectOptions {
  /** Default `qemu:///system`. See `parseUri` for what is accepted. */
  readonly uri?: string;
  /** The daemon's Unix socket; default: the URI's `socket` parameter, else libvirtd's own. */
  readonly socketPath?: string;
  /** Time limit of connecting and of the handshake, each. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Time limit of calls that answer at once. Default 30,000. */
  readonly callTimeoutMs?: number;
  /** Time limit of calls that may wait for a guest, a program or a disk. Default 120,000. */
  readonly slowCallTimeoutMs?: number;
  /**
   * Calls that libvirtd has at a time, per socket; others wait here. Default 4, because
   * libvirtd serves 5 (`max_client_requests`) and stops reading the socket beyond that.
   */
  readonly callsInFlightMax?: number;
  /** Pings that find a hung daemon; `false` for none. */
  readonly keepalive?: Partial<KeepaliveOptions> | false;
  /** Whether a lost connection is made again; default `false`, as suits a one-shot program. */
  readonly reconnect?: Partial<ReconnectOptions> | boolean;
  /** Ends the attempt to connect; of no effect afterwards. */
  readonly signal?: AbortSignal;
  readonly timers?: Timers;
  /** Told of every call that has ended; streams are not calls. It must not throw. */
  readonly onCall?: OnCall | undefined;
}

/** Connect options with every choice made. */
export interface ResolvedOptions {
  readonly serverUri: string;
  readonly socketPath: string;
  readonly isReadOnly: boolean;
  readonly connectTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly slowCallTimeoutMs: number;
  readonly callsInFlightMax: number;
  readonly keepalive: KeepaliveOptions | false;
  readonly reconnect: ReconnectOptions | false;
  readonly signal: CallOptions['signal'];
  readonly timers: Timers;
  readonly onCall: OnCall | undefined;
}

/** Fills in the defaults; throws `ConnectionError` for a URI that is not supported. */
export function resolveOptions(options: ConnectOptions, isReadOnly: boolean): ResolvedOptions {
  const target = parseUri(options.uri ?? 'qemu:///system');
  const defaultPath = isReadOnly ? defaultReadOnlySocketPath : defaultSocketPath;
  const { keepalive = {}, reconnect = false } = options;
  return {
    serverUri: target.serverUri,
    socketPath: options.socketPath ?? target.socketPath ?? defaultPath,
    isReadOnly,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    callTimeoutMs: options.callTimeoutMs ?? 30_000,
    slowCallTimeoutMs: options.slowCallTimeoutMs ?? 120_000,
    callsInFlightMax: options.callsInFlightMax ?? 4,
    keepalive: keepalive !== false && { intervalMs: 5000, countMax: 5, ...keepalive },
    reconnect: reconnect !== false && {
      ...reconnectDefaults,
      ...(reconnect === true ? {} : reconnect),
    },
    signal: options.signal,
    timers: options.timers ?? systemTimers,
    onCall: options.onCall,
  };
}

const reconnectDefaults: ReconnectOptions = { delayMsMin: 100, delayMsMax: 10_000 };
