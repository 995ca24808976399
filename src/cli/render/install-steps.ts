/** The steps of `unnest host`, one line each: the same words for what was done and what would be. */
import type { ConflictReason, InstallStep, KeepReason } from '../../host/installer.ts';
import { type Paint, printable } from './paint.ts';

export function renderInstallStep(step: InstallStep, more: string | null, paint: Paint): string {
  const note = more === null ? '' : `: ${more}`;
  return `  ${wordFor(step, paint)}  ${printable(thingOf(step))}${printable(note)}\n`;
}

function wordFor(step: InstallStep, paint: Paint): string {
  switch (step.kind) {
    case 'make-folder':
      return paint.green('create  ');
    case 'write-file':
      return step.because === 'missing' ? paint.green('create  ') : paint.yellow('update  ');
    case 'remove-file':
    case 'remove-folder':
      return paint.red('remove  ');
    case 'run':
      return paint.bold('run     ');
    case 'keep':
      return paint.dim('keep    ');
    case 'conflict':
      return paint.yellow('conflict');
  }
}

function thingOf(step: InstallStep): string {
  switch (step.kind) {
    case 'make-folder':
      return `${step.path}/ (mode ${step.mode.toString(8).padStart(4, '0')})`;
    case 'write-file':
    case 'remove-file':
      return step.because === 'forced' ? `${step.path} (somebody has changed it)` : step.path;
    case 'remove-folder':
      return `${step.path}/`;
    case 'run':
      return [step.command, ...step.args].join(' ');
    case 'keep':
      return `${step.path} (${keptBecause(step.because)})`;
    case 'conflict':
      return `${step.path}: ${conflictWords(step.because)}`;
  }
}

function keptBecause(reason: KeepReason): string {
  switch (reason) {
    case 'current':
      return 'as it is to be';
    case 'yours':
      return 'yours to edit';
    case 'in-use':
      return 'there is something in it';
    case 'owns-files':
      return 'files may belong to it';
  }
}

function conflictWords(reason: ConflictReason): string {
  switch (reason) {
    case 'changed':
      return 'somebody has changed it, so it stays; --force does not mind';
    case 'not-a-file':
      return 'this is no regular file, so it stays';
    case 'not-a-folder':
      return 'this is no folder, so it stays';
    case 'outside':
      return 'links lead out of the root, so nothing is done there';
    case 'open-to-others':
      return 'others than root may write to this, and the unit would run it, or something in it, as root; --force does not mind';
  }
}
