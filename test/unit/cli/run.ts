/** The command line as a function, in a test's own process: arguments in, what it printed out. */
import { adapters } from '../../../src/bin/adapters.ts';
import type { Environment, Output, Target } from '../../../src/cli/environment.ts';
import { main } from '../../../src/cli/main.ts';
import { installation } from '../../support/passes.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly stdin?: string | Uint8Array;
  readonly variables?: Readonly<Record<string, string>>;
  readonly columns?: number;
  /** What a person says to every question; without it there is nobody to ask. */
  readonly answer?: string | (() => Promise<string>);
  /** By default what is on this machine. */
  readonly findDaemon?: Environment['findDaemon'];
  /** What runs as the agent; by default this machine's own. */
  readonly agent?: Environment['agent'];
  /** Where somebody sits; by default nobody does. */
  readonly terminal?: Environment['terminal'];
  /** What is run or listened to in a test's stead; by default what is on this machine. */
  readonly programs?: Partial<
    Pick<Environment, 'forward' | 'openView' | 'runProgram' | 'userStateDir'>
  >;
  /** Ctrl-C. */
  readonly stop?: AbortSignal;
  /** Called with what standard output has by now, after each write. */
  readonly onOutput?: (stdout: string) => void;
  /** Called with the host that is looked at. */
  readonly onView?: (target: Target) => void;
}

export async function run(
  argv: readonly string[],
  {
    stdin = '',
    variables = {},
    columns = 80,
    answer,
    findDaemon,
    agent,
    stop,
    onOutput,
    onView,
    terminal = null,
    programs,
  }: Surroundings = {},
): Promise<Ran> {
  const stdout = recorder(columns, onOutput);
  const stderr = recorder(columns);
  const never = new AbortController().signal;
  const code = await main(argv, '1.2.3', {
    ...adapters,
    openView: (target, signal) => {
      onView?.(target);
      return adapters.openView(notThisMachine(target), signal);
    },
    openHost: (target, signal) => adapters.openHost(notThisMachine(target), signal),
    diagnose: (target, signal) => adapters.diagnose(notThisMachine(target), signal),
    findDaemon: findDaemon ?? adapters.findDaemon,
    agent: agent ?? adapters.agent,
    ...(programs === undefined ? {} : programs),
    variables: new Map(Object.entries(variables)),
    stdout,
    stderr,
    ask: answer === undefined ? null : typeof answer === 'string' ? async () => answer : answer,
    terminal,
    standardInput: async function* () {
      yield Buffer.from(stdin);
    },
    readStandardInput: async (bytesMax) => Buffer.from(stdin).subarray(0, bytesMax),
    newInstallationId: () => installation,
    now: () => 0,
    stop: stop ?? never,
    abort: never,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** A machine that runs the tests may have a libvirtd of its own, where nobody has asked for one. */
function notThisMachine(target: Target): Target {
  return target.uri === 'qemu:///system'
    ? { ...target, uri: 'qemu:///system?socket=/nonexistent/libvirt-sock' }
    : target;
}

function recorder(
  columns: number,
  onOutput: (text: string) => void = () => undefined,
): Output & { text(): string } {
  const chunks: string[] = [];
  return {
    write: (text) => {
      chunks.push(text);
      onOutput(chunks.join(''));
    },
    taken: async () => undefined,
    isTerminal: false,
    columns,
    text: () => chunks.join(''),
  };
}
