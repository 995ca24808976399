/**
 * One JSON object a line, answers in the order of the questions, events in between: what QEMU's
 * monitor (QMP) and its guest agent both speak.
 *
 * @see https://www.qemu.org/docs/master/interop/qmp-spec.html
 */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

interface Waiting {
  readonly command: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Message {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
}

const connectMsMax = 30_000;

export class JsonSocket {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #ended: Error | null = null;
  #onEvent: (name: string) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the connection was closed')));
    // The interface says the socket's errors once more.
    const lines = createInterface({ input: socket }).on('error', () => undefined);
    lines.on('line', (line) => this.#onLine(line));
  }

  /** QEMU makes its sockets a moment after it was started. */
  static async connect(path: string, msMax = connectMsMax): Promise<JsonSocket> {
    const deadline = performance.now() + msMax;
    for (;;) {
      try {
        return new JsonSocket(await connected(path));
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await sleep(50);
      }
    }
  }

  request(execute: string, args: object = {}): Promise<unknown> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command: execute, resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
  }

  onEvent(listener: (name: string) => void): void {
    this.#onEvent = listener;
  }

  close(): void {
    this.#socket.destroy();
  }

  #onLine(line: string): void {
    // The agent marks the beginning of an answer to a sync with a byte that is in no JSON.
    const message = parsed(line.replace(/^[^{]*/, ''));
    if (message?.event !== undefined) this.#onEvent(message.event);
    if (message === null || (!('return' in message) && message.error === undefined)) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    if (message.error === undefined) waiting.resolve(message.return);
    else waiting.reject(new Error(`${waiting.command}: ${message.error.desc}`));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { command, reject } of this.#waiting.splice(0)) {
      reject(new Error(`${command}: ${error.message}`, { cause: error }));
    }
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

function parsed(line: string): Message | null {
  try {
    return JSON.parse(line) as Message;
  } catch {
    return null;
  }
}
