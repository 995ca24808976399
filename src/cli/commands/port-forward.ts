/** `unnest port-forward`: ports of this machine that lead to those of a Secondary, for as long as it runs. */
import { once } from 'node:events';
import { isIP } from 'node:net';
import { Command } from 'commander';
import { CommandError, usageError } from '../command-error.ts';
import type { Environment, Forwarded } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type HostOptions, withHostOptions } from '../options.ts';
import { limitsOf } from '../pass.ts';
import { printable } from '../render/paint.ts';
import { reachable } from '../secondary-address.ts';

interface Options extends HostOptions {
  readonly address: string;
}

export function portForwardCommand(
  environment: Environment,
  exit: (code: ExitCode) => void,
): Command {
  return withHostOptions(new Command('port-forward'), environment)
    .description('let ports of this machine lead to TCP ports of a Secondary, until Ctrl-C')
    .argument('<name>', 'which one')
    .argument('<ports...>', 'LOCAL:REMOTE; REMOTE alone is both, :REMOTE takes any that is free')
    .option('--address <ip>', 'where to listen; other than loopback lets others in', '127.0.0.1')
    .action(async (name: string, texts: readonly string[], options: Options, command: Command) => {
      const ports = texts.map(portsIn);
      if (isIP(options.address) === 0) throw usageError(`"${options.address}" is no IP address`);
      const limits = limitsOf(environment, options.timeout);
      const { address: to } = await reachable(name, command, options, environment);
      const { stderr, stdout } = environment;
      const open: Forwarded[] = [];
      try {
        for (const { local, remote } of ports) {
          const forwarded = await environment
            .forward({
              from: { address: options.address, port: local },
              to: { address: to, port: remote },
              onTrouble: (message) => stderr.write(`${printable(message)}\n`),
            })
            .catch((cause: unknown) => {
              const message = `cannot listen on ${options.address} port ${local}`;
              throw new CommandError(exitCodes.usage, message, { cause });
            });
          open.push(forwarded);
          stdout.write(`${options.address}:${forwarded.port} leads to ${name}:${remote} (${to})\n`);
        }
        if (!limits.stop.aborted) await once(limits.stop, 'abort');
      } finally {
        await Promise.all(open.map((each) => each.close()));
      }
      exit(limits.timedOut() ? exitCodes.timeout : exitCodes.interrupted);
    });
}

interface Ports {
  /** 0: any that is free. */
  readonly local: number;
  readonly remote: number;
}

function portsIn(text: string): Ports {
  const [, local, colon, remote = ''] = /^(\d{0,5})(:?)(\d{0,5})$/.exec(text) ?? [];
  const to = colon === '' ? local : remote;
  const ports = { local: Number(local === '' ? 0 : local), remote: Number(to) };
  if (local !== undefined && ports.remote > 0 && ports.remote <= 65_535 && ports.local <= 65_535) {
    return ports;
  }
  throw usageError(`"${text}" is not LOCAL:REMOTE`, 'such as 8080:80, 80, or :80');
}
