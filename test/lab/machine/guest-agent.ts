/** Commands and files in the host of the lab, by QEMU's guest agent: no network, no keys. */
import { setTimeout as sleep } from 'node:timers/promises';
import { JsonSocket } from './json-socket.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface ExecStatus {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly signal?: number;
  readonly 'out-data'?: string;
  readonly 'err-data'?: string;
}

const lookMs = { first: 10, last: 200 };
const chunkBytes = 1024 ** 2;
const syncMsMax = 5_000;

export class GuestAgent {
  readonly #socket: JsonSocket;

  private constructor(socket: JsonSocket) {
    this.#socket = socket;
  }

  /** @returns null: nobody answers there, yet */
  static async connect(path: string): Promise<GuestAgent | null> {
    const socket = await JsonSocket.connect(path);
    const id = Math.floor(Math.random() * 2 ** 31);
    const answer = socket.request('guest-sync', { id }).catch(() => null);
    if ((await Promise.race([answer, sleep(syncMsMax, null)])) === id)
      return new GuestAgent(socket);
    socket.close();
    return null;
  }

  /** Runs a command line of bash to its end. */
  async run(line: string, stdin = ''): Promise<Ran> {
    const started = await this.#socket.request('guest-exec', {
      path: '/bin/bash',
      arg: ['-c', line],
      'input-data': base64(Buffer.from(stdin)),
      'capture-output': true,
    });
    const { pid } = started as { readonly pid: number };
    for (let ms = lookMs.first; ; ms = Math.min(ms * 1.3, lookMs.last)) {
      const status = (await this.#socket.request('guest-exec-status', { pid })) as ExecStatus;
      if (status.exited) return ranOf(status);
      await sleep(ms);
    }
  }

  async write(path: string, content: Buffer): Promise<void> {
    const handle = await this.#socket.request('guest-file-open', { path, mode: 'w' });
    for (let at = 0; at < content.length; at += chunkBytes) {
      const chunk = base64(content.subarray(at, at + chunkBytes));
      await this.#socket.request('guest-file-write', { handle, 'buf-b64': chunk });
    }
    await this.#socket.request('guest-file-close', { handle });
  }

  close(): void {
    this.#socket.close();
  }
}

function ranOf(status: ExecStatus): Ran {
  return {
    code: status.exitcode ?? 128 + (status.signal ?? 0),
    stdout: text(status['out-data']),
    stderr: text(status['err-data']),
  };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}

function text(encoded = ''): string {
  return Buffer.from(encoded, 'base64').toString();
}
