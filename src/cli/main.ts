/** The command line as a function: arguments in, exit code out, and every failure in words. */
import { Command, CommanderError } from 'commander';
import { explainError } from '../host/host-error.ts';
import { exitCodeOf, remedyOf } from './command-error.ts';
import { agentCommand } from './commands/agent.ts';
import { applyCommand } from './commands/apply.ts';
import { auditCommand } from './commands/audit.ts';
import { completionCommand } from './commands/completion.ts';
import { consoleCommand } from './commands/console.ts';
import { describeCommand } from './commands/describe.ts';
import { drainCommand } from './commands/drain.ts';
import { destroyCommand } from './commands/destroy.ts';
import { diffCommand } from './commands/diff.ts';
import { doctorCommand } from './commands/doctor.ts';
import { eventsCommand } from './commands/events.ts';
import { explainCommand } from './commands/explain.ts';
import { exportCommand } from './commands/export.ts';
import { getCommand } from './commands/get.ts';
import { handOverCommand, uploadCommand } from './commands/hand-in.ts';
import { historyCommand } from './commands/history.ts';
import { hostCommand } from './commands/host.ts';
import { logsCommand } from './commands/logs.ts';
import { manCommand } from './commands/man.ts';
import { pauseCommand, resumeCommand, retryCommand } from './commands/pause.ts';
import { planCommand } from './commands/plan.ts';
import { portForwardCommand } from './commands/port-forward.ts';
import { powerCommand } from './commands/power.ts';
import { renderCommand } from './commands/render.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { schemaCommand } from './commands/schema.ts';
import { sshCommand } from './commands/ssh.ts';
import { statusCommand } from './commands/status.ts';
import { topCommand } from './commands/top.ts';
import { validateCommand } from './commands/validate.ts';
import { waitCommand } from './commands/wait.ts';
import type { Environment } from './environment.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { paintFor, printable } from './render/paint.ts';

/** @param argv without the interpreter and the program. */
export async function main(
  argv: readonly string[],
  version: string,
  environment: Environment,
): Promise<number> {
  let code: number = exitCodes.ok;
  const program = programFor(version, environment, (given) => {
    code = given;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return reportError(error, environment);
  }
}

function programFor(
  version: string,
  environment: Environment,
  exit: (code: number) => void,
): Command {
  const program = new Command('unnest')
    .description('VMs that ask for VMs, without nesting: documents in, running Secondaries out')
    .version(version)
    .showSuggestionAfterError();
  for (const command of [
    validateCommand(environment),
    planCommand(environment, exit),
    diffCommand(environment, exit),
    applyCommand(environment, exit),
    getCommand(environment, exit),
    describeCommand(environment, exit),
    exportCommand(environment, exit),
    consoleCommand(environment, exit),
    logsCommand(environment, exit),
    sshCommand(environment, exit),
    portForwardCommand(environment, exit),
    waitCommand(environment, exit),
    destroyCommand(environment, exit),
    statusCommand(environment, exit),
    topCommand(environment, exit),
    eventsCommand(environment, exit),
    historyCommand(environment, exit),
    auditCommand(environment, exit),
    rollbackCommand(environment, exit),
    pauseCommand(environment, exit),
    resumeCommand(environment, exit),
    powerCommand('start', environment, exit),
    powerCommand('stop', environment, exit),
    powerCommand('restart', environment, exit),
    uploadCommand(environment, exit),
    handOverCommand(environment, exit),
    retryCommand(environment, exit),
    drainCommand(environment, exit),
    doctorCommand(environment, exit),
    hostCommand(environment, exit),
    agentCommand(environment, exit),
    renderCommand(environment),
    schemaCommand(environment),
    explainCommand(environment, exit),
    completionCommand(environment),
    manCommand(environment),
  ]) {
    program.addCommand(command);
  }
  for (const command of [program, ...program.commands]) confine(command, environment);
  return program;
}

/** commander would print and exit by itself. */
function confine(command: Command, { stdout, stderr }: Environment): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    getOutHelpWidth: () => stdout.columns,
    getErrHelpWidth: () => stderr.columns,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
}

function reportError(error: unknown, { stderr, variables }: Environment): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const code = exitCodeOf(error);
  const paint = paintFor(stderr, variables);
  stderr.write(`${paint.red('error')}: ${printable(explainError(error))}\n`);
  const remedy = remedyOf(error);
  if (remedy !== null) stderr.write(`  ${printable(remedy)}\n`);
  if (code === exitCodes.bug) {
    stderr.write(bugReport(error));
  }
  return code;
}

export function bugReport(error: unknown): string {
  const trace = error instanceof Error ? (error.stack ?? '') : '';
  return `This is a bug in unnest. Please report it with this trace:\n${trace}\n`;
}
