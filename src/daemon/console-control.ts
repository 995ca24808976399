/** What may be asked of consoles: to read one, to be the one that types there, and to type. */
import type { Answer, ConsoleAnswer, Control } from '../channel/control.ts';
import { domainName } from '../model/identity.ts';
import type { SecondaryName } from '../model/names.ts';
import { type Asked, asking, askingNow } from './asking.ts';
import type { Claimed, Typed } from './consoles.ts';
import { refusedName } from './power-rules.ts';
import type { Supervisor } from './supervisor.ts';

type ConsoleControl = Pick<Control, 'console' | 'consoleLog' | 'claimConsole' | 'typeOnConsole'>;

export function consoleControl(supervisor: Pick<Supervisor, 'partition'>): ConsoleControl {
  return {
    console: (name, secondary) =>
      askingNow(supervisor.partition(name), (asked) => openConsole(asked, secondary)),
    consoleLog: (name, secondary, { previous, follow }) =>
      askingNow(supervisor.partition(name), ({ authority, loop }) => {
        const unknown = refusedName(authority, loop, secondary);
        if (unknown !== null) return unknown;
        const log = loop.consoleLogs?.of(secondary);
        if (log === undefined) return noLogs;
        return { status: 'ready', read: (reader) => log.read(previous, follow, reader) };
      }),
    claimConsole: (name, secondary, { reader, force }, who) =>
      askingNow(supervisor.partition(name), ({ loop }) => {
        const domain = domainName(name, secondary);
        const claimed = loop.consoles.claim(domain, { reader, who }, force);
        return claimAnswer(claimed, secondary);
      }),
    typeOnConsole: async (name, secondary, reader, bytes) =>
      asking(supervisor.partition(name), async ({ loop }) => {
        const domain = domainName(name, secondary);
        return typeAnswer(await loop.consoles.type(domain, reader, bytes), secondary);
      }),
  };
}

function openConsole({ authority, loop }: Asked, secondary: SecondaryName): ConsoleAnswer {
  const unknown = refusedName(authority, loop, secondary);
  if (unknown !== null) return unknown;
  const ref = loop.runningDomain(secondary);
  if (ref !== null) return { status: 'ready', read: (reader) => loop.consoles.read(ref, reader) };
  return refused('GuestNotRunning', `${secondary} does not run`);
}

function claimAnswer(claimed: Claimed, secondary: SecondaryName): Answer {
  switch (claimed.status) {
    case 'claimed':
      return { status: 'ok', message: `this reader types on the console of ${secondary} now` };
    case 'taken':
      return refused('SomebodyTypes', `${claimed.by} types on the console of ${secondary}`);
    case 'no-reader':
      return refused('NotTyping', `no such reader has the console of ${secondary} open`);
  }
}

function typeAnswer(typed: Typed, secondary: SecondaryName): Answer {
  switch (typed) {
    case 'typed':
      return { status: 'ok', message: `on its way to ${secondary}` };
    case 'not-its-writer':
      return refused('NotTyping', `this reader does not type on the console of ${secondary}`);
    case 'not-taken':
      return refused('GuestReadsNothing', `${secondary} leaves what was typed where it is`);
  }
}

const noLogs = refused('NoConsoleLogs', 'unnestd is told to keep no console logs here');

function refused(code: string, message: string) {
  return { status: 'refused', code, message } as const;
}
