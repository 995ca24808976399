/** What the exit status of `unnest` says. */
import type { exitCodes } from '../exit-codes.ts';
import type { Explanations } from './explanation.ts';

export const exitCodeExplanations: Explanations<keyof typeof exitCodes> = {
  ok: { means: 'Done, or nothing to do.', todo: 'Nothing.' },
  changes: {
    means: '`plan --detailed-exitcode` found changes.',
    todo: 'Read the plan; `unnest apply` does exactly that.',
  },
  partial: {
    means: 'Some of it failed, was refused or is blocked; the rest was done.',
    todo: 'Read what is said beside each; after mending it, apply again.',
  },
  validation: {
    means: 'The documents are not valid; nothing was done.',
    todo: 'Mend what is named; `unnest explain CODE` says more about each.',
  },
  unreachable: {
    means: 'libvirt, or unnestd where it is asked, does not answer, or does not let us in.',
    todo: 'See `unnest doctor`; `systemctl status unnestd`.',
  },
  timeout: {
    means:
      'The time that --timeout gives has passed. What was under way was finished, nothing more was begun; unnestd goes on with what it was given.',
    todo: 'Plan again, or see `unnest status`, for what is left.',
  },
  conflict: {
    means: 'Somebody else is changing the partition, or has changed it meanwhile.',
    todo: 'Look again with `unnest plan`, then try once more.',
  },
  usage: {
    means: 'The command line is wrong, or names something that is not there; nothing was done.',
    todo: 'See `unnest help COMMAND`.',
  },
  bug: {
    means: 'A bug in unnest.',
    todo: 'Please report it, with the trace that it printed.',
  },
  output: {
    means:
      'What was to be printed could not be written: a full disk, or a terminal that went away. The work itself was done.',
    todo: 'Make room for the output; see with `unnest plan` or `unnest get` how things are.',
  },
  interrupted: {
    means: 'Ctrl-C, a signal, or "no" where it was asked; what was under way was finished.',
    todo: 'Plan again to see what is left.',
  },
};
