/**
 * A console on a terminal: every key goes to the guest, and every byte of the guest to the terminal, as on a
 * serial line. `Ctrl-]` leaves. However it ends, the terminal is as it was before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsoleLink } from './console-link.ts';
import { Keys } from './console-keys.ts';
import type { RawTerminal, Terminal } from './environment.ts';
import { printable } from './render/paint.ts';
import { explainError } from '../host/host-error.ts';

/** Ctrl-]: what telnet, virsh and incus leave by. */
const leaveKey = 0x1d;
const bell = '\u0007';

/**
 * What a program in a guest may have left switched on: the other screen, reports of the mouse and of pasting,
 * colours, a hidden cursor (DECSTR sets back the rest).
 */
const calm =
  '\u001b[?1047l\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?1004l\u001b[?2004l\u001b[!p\u001b[0m';

/** A terminal's answer to what the guest has asked it must not be read as a command by the shell. */
const answersMs = 50;

const lastKeysMs = 500;

export interface Screen {
  readonly link: ConsoleLink;
  readonly terminal: Terminal;
  /** Ends the link too. */
  readonly leave: () => void;
  readonly stop: AbortSignal;
}

/** A line of ours between those of the guest. */
export type Say = (text: string) => void;

/** Resolves when the guest has ended, or somebody has left, or the signal has fired. */
export async function showScreen(
  { link, terminal, leave, stop }: Screen,
  onOpen: (say: Say) => void,
): Promise<void> {
  let isLeaving = false;
  const keys = new Keys({
    type: (bytes) => link.type(bytes),
    onFailure: (error) => sayOn(raw, `not typed: ${explainError(error)}`),
  });
  const raw = terminal.open({
    onBytes: (bytes) => {
      if (isLeaving) return;
      const at = bytes.indexOf(leaveKey);
      const typed = at < 0 ? bytes : bytes.subarray(0, at);
      if (typed.length > 0 && !keys.add(typed)) raw.write(Buffer.from(bell));
      if (at < 0) return;
      isLeaving = true;
      // What was typed before is meant, as far as the guest takes it.
      void Promise.race([keys.sent(), sleep(lastKeysMs)]).then(leave);
    },
    onHangUp: leave,
  });
  try {
    onOpen((text) => sayOn(raw, text));
    for await (const bytes of link.bytes) {
      raw.write(bytes);
      // The guest waits for a terminal that is stopped.
      await raw.taken(stop);
    }
  } finally {
    isLeaving = true;
    raw.write(Buffer.from(calm));
    await sleep(answersMs);
    raw.close();
  }
}

function sayOn(raw: RawTerminal, text: string): void {
  raw.write(Buffer.from(`\r\nunnest: ${printable(text)}\r\n`));
}
