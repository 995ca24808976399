/** `unnest doctor`: can this host do the work, and if not, what would mend it? */
import { Command } from 'commander';
import { daemonChecks } from '../daemon-check.ts';
import type { Check, Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type HostOptions, outputOption, withHostOptions } from '../options.ts';
import { targetFor } from '../place.ts';
import { endedEarly, limitsOf } from '../pass.ts';
import { type Paint, paintFor, printable } from '../render/paint.ts';

interface Options extends HostOptions {
  readonly output: 'text' | 'json';
}

export function doctorCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('doctor'), environment)
    .description('check that this host can do the work, and say what to mend')
    .addOption(outputOption('text', 'json'))
    .action(async (options: Options, command: Command) => {
      const { stdout, variables } = environment;
      const limits = limitsOf(environment, options.timeout);
      const target = await targetFor(command, options, environment, limits);
      const checks = [
        ...(await environment.diagnose(target, limits.stop)),
        ...(await daemonChecks(command, environment, limits)),
      ];
      // What was broken off says nothing about the host.
      if (limits.stop.aborted) throw endedEarly(limits, 'the host was examined');
      const paint = paintFor(stdout, variables);
      stdout.write(
        options.output === 'json'
          ? `${JSON.stringify({ checks }, null, 2)}\n`
          : checks.map((check) => renderCheck(check, paint)).join(''),
      );
      const failed = checks.some(({ status }) => status === 'failed');
      exit(failed ? exitCodes.unreachable : exitCodes.ok);
    });
}

function renderCheck({ name, status, finding, mend }: Check, paint: Paint): string {
  const words = {
    ok: paint.green('ok     '),
    warning: paint.yellow('warning'),
    failed: paint.red('failed '),
  };
  const advice = mend === null ? '' : `           ${printable(mend)}\n`;
  return `  ${words[status]}  ${paint.bold(name)}: ${printable(finding)}\n${advice}`;
}
