/** What unnestd refuses, as exit codes and advice. Codes that are not known here mean `partial`. */
import type { WishRefusalCode } from '../channel/control.ts';
import type { ClientErrorCode, DaemonError } from '../channel/daemon-error.ts';
import type { ApiProblemCode } from '../channel/problem.ts';
import type { RefusalCode } from '../report/submission.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

type KnownCode = ClientErrorCode | ApiProblemCode | RefusalCode | WishRefusalCode;

interface Known {
  readonly exit: ExitCode;
  readonly remedy: string | null;
}

const { unreachable, interrupted, validation, conflict, usage, partial, timeout } = exitCodes;
/** Not every command has a way without unnestd, and `--host`. */
const directly =
  '`unnest plan`, `apply`, `get` and `destroy` work without it: --host qemu:///system';
const lookAtStatus = '`unnest status` says what is so';

const known: { readonly [C in KnownCode]: Known } = {
  NotRunning: {
    exit: unreachable,
    remedy: `\`systemctl start unnestd\` starts it, in a Primary \`systemctl start unnest-agent\`; ${directly}`,
  },
  NotAllowed: {
    exit: unreachable,
    remedy: `run as root, or as a member of the socket's group; ${directly}`,
  },
  Broken: { exit: unreachable, remedy: '`systemctl status unnestd` says whether it still runs' },
  NotUnderstood: { exit: unreachable, remedy: 'are unnest and unnestd of the same version?' },
  VersionsDiffer: { exit: unreachable, remedy: null },
  Cancelled: { exit: interrupted, remedy: null },
  BadRequest: { exit: usage, remedy: null },
  NotFound: { exit: unreachable, remedy: 'are unnest and unnestd of the same version?' },
  NothingAccepted: { exit: usage, remedy: null },
  TooLarge: { exit: validation, remedy: 'split the documents over several partitions' },
  UnsupportedMediaType: { exit: usage, remedy: null },
  EventsGone: { exit: usage, remedy: 'leave out --after to see all that are kept' },
  NotConfirmed: { exit: usage, remedy: null },
  TooManyRequests: { exit: conflict, remedy: 'wait a second, then ask again' },
  AgentElsewhere: { exit: conflict, remedy: 'end the other `unnest agent` first' },
  OperatorsOnly: { exit: usage, remedy: "ask the host's operator" },
  NoHost: { exit: unreachable, remedy: '`unnest explain NoHost` says what it needs' },
  NoAnswer: { exit: timeout, remedy: lookAtStatus },
  Internal: { exit: partial, remedy: '`journalctl -u unnestd` says more; please report it' },
  NotTheSource: { exit: conflict, remedy: '`unnest explain NotTheSource` says who may' },
  NoPartition: {
    exit: usage,
    remedy: `\`unnest status\` lists those that there are; on others ${directly}`,
  },
  Invalid: { exit: validation, remedy: null },
  StaleGeneration: { exit: conflict, remedy: '`unnest history` lists them' },
  GenerationReused: { exit: conflict, remedy: '`unnest history` lists them' },
  NotInForce: { exit: conflict, remedy: 'somebody was faster: look again, then try once more' },
  NoSuchGeneration: { exit: usage, remedy: '`unnest history` lists those that are kept' },
  RolledBack: { exit: conflict, remedy: "change the documents in the partition's folder" },
  NotRead: { exit: partial, remedy: 'try again; `unnest events` tells what the worker died of' },
  NotStored: { exit: partial, remedy: 'is the disk of the state directory full, or read-only?' },
  Draining: { exit: conflict, remedy: '`unnest resume` ends it' },
  TooBusy: { exit: conflict, remedy: 'try again in a moment' },
  NothingYet: { exit: usage, remedy: 'hand some in: `unnest apply -f`' },
  NoSuchSecondary: { exit: usage, remedy: '`unnest get` lists those that there are' },
  RunPolicy: { exit: partial, remedy: '`unnest explain RunPolicy` says which goes with what' },
  NoSuchImage: { exit: usage, remedy: 'submit its document first' },
  NotHandedOver: { exit: usage, remedy: 'look at spec.source of its document' },
  NotUploaded: { exit: usage, remedy: 'look at spec.source of its document' },
  AwaitingBytes: { exit: partial, remedy: lookAtStatus },
  ImageBlocked: { exit: partial, remedy: 'end what blocks it' },
  NotInTime: { exit: timeout, remedy: '`unnest status` says how the host is' },
  NotTaken: { exit: conflict, remedy: '`unnest upload` goes on where it stopped' },
  KeyReused: { exit: conflict, remedy: 'each order needs a key of its own' },
  GuestNotRunning: { exit: partial, remedy: '`unnest get` says how it is' },
  NoConsoleLogs: { exit: usage, remedy: '`unnest console` reads what it writes from now on' },
  SomebodyTypes: { exit: conflict, remedy: '`--force` takes it from them' },
  NotTyping: { exit: conflict, remedy: 'open the console anew' },
  GuestReadsNothing: { exit: partial, remedy: 'the guest reads nothing from its console just now' },
  NotOpen: { exit: partial, remedy: lookAtStatus },
};

const unknownCode: Known = { exit: partial, remedy: null };

export function daemonExitCode({ code }: DaemonError): ExitCode {
  return factsOf(code).exit;
}

export function daemonRemedy({ code }: DaemonError): string | null {
  return factsOf(code).remedy;
}

function factsOf(code: string): Known {
  return Object.hasOwn(known, code) ? known[code as KnownCode] : unknownCode;
}
