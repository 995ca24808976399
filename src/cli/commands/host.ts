/** `unnest host install | uninstall`: puts the daemon on this machine, or in an image, and takes it off. */
import { resolve } from 'node:path';
import { Argument, Command } from 'commander';
import type { InstallRequest, InstallStep } from '../../host/installer.ts';
import { HostError } from '../../host/host-error.ts';
import { CommandError } from '../command-error.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { renderInstallStep } from '../render/install-steps.ts';
import { paintFor } from '../render/paint.ts';

interface Options {
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly root: string;
  readonly node: string;
  readonly program: string;
}

const actions = ['install', 'uninstall'] as const;
type Action = (typeof actions)[number];

export function hostCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  const { installer } = environment;
  return new Command('host')
    .description('put unnestd on this machine (unit, group, folders), or take it off')
    .addArgument(new Argument('<action>', 'what to do').choices(actions))
    .option('--dry-run', 'say what would be done, and do nothing')
    .option(
      '--force',
      'overwrite or remove what somebody has changed, too; run what others may write to',
    )
    .option('--root <path>', 'an image to work in, instead of this machine', '/')
    .option('--node <path>', 'the Node.js that the unit names', installer.node)
    .option('--program <path>', 'the unnestd that the unit names', installer.program)
    .action(async (action: Action, options: Options) => {
      const request = requestOf(options);
      const steps = await stepsOf(action, request, environment).catch((error: unknown) => {
        throw inImage(error, request);
      });
      for (const step of steps) {
        const more = options.dryRun === true ? null : await installer.carryOut(step);
        report(step, more, environment);
      }
      const last = options.dryRun === true ? dryRunLine(steps) : endLine(action, request, steps);
      environment.stdout.write(`${last}\n`);
      exit(hasConflict(steps) ? exitCodes.partial : exitCodes.ok);
    });
}

/** By default the programs are those of this machine, which an image may have elsewhere, or not at all. */
function inImage(error: unknown, { root }: InstallRequest): unknown {
  if (root === '/' || !(error instanceof HostError) || error.code !== 'Unsupported') return error;
  const remedy = `--node and --program say where they are in ${root}, as seen from inside it`;
  return new CommandError(exitCodes.partial, error.message, { cause: error.cause, remedy });
}

function requestOf({ root, node, program, force = false }: Options): InstallRequest {
  return { root: resolve(root), node: resolve(node), program: resolve(program), force };
}

function stepsOf(
  action: Action,
  request: InstallRequest,
  { installer }: Environment,
): Promise<readonly InstallStep[]> {
  switch (action) {
    case 'install':
      return installer.planInstall(request);
    case 'uninstall':
      return installer.planUninstall(request);
  }
}

function report(step: InstallStep, more: string | null, { stdout, variables }: Environment): void {
  stdout.write(renderInstallStep(step, more, paintFor(stdout, variables)));
}

function dryRunLine(steps: readonly InstallStep[]): string {
  return `Dry run: nothing was done; steps to take: ${worksIn(steps)}.`;
}

function endLine(action: Action, { root }: InstallRequest, steps: readonly InstallStep[]): string {
  if (hasConflict(steps)) return 'Not all of it could be done: see the conflicts.';
  if (worksIn(steps) === 0) return 'Nothing to do.';
  switch (action) {
    case 'install':
      return root === '/'
        ? 'Installed. Start it with: systemctl enable --now unnestd'
        : `Installed. Enable it with: systemctl --root=${root} enable unnestd`;
    case 'uninstall':
      return 'Uninstalled. State, and documents that somebody wrote, are kept.';
  }
}

function worksIn(steps: readonly InstallStep[]): number {
  return steps.filter(({ kind }) => kind !== 'keep' && kind !== 'conflict').length;
}

function hasConflict(steps: readonly InstallStep[]): boolean {
  return steps.some(({ kind }) => kind === 'conflict');
}
