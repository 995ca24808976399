/** What can go wrong between unnest and the host. */
import type { HostErrorCode } from '../../host/host-error.ts';
import type { Explanations } from './explanation.ts';

export const hostErrorExplanations: Explanations<HostErrorCode> = {
  Unreachable: {
    means: 'libvirt does not answer, or the connection to it broke.',
    todo: 'Does libvirtd (or virtqemud) run there? `unnest doctor` looks more closely. Trying again may help.',
  },
  PermissionDenied: {
    means: 'libvirt, or a file, may not be used by this user.',
    todo: 'Run as root, or as a member of the group libvirt.',
  },
  Timeout: {
    means:
      'Something was asked for and not answered, or not done, in time. Whether it still takes effect is not known.',
    todo: 'Plan again: unnest looks at what is true and goes on from there. A guest that does not shut down in time is powered off by spec.terminationGracePeriodSeconds.',
  },
  Cancelled: {
    means: 'unnest stopped waiting because it was told to, by Ctrl-C or a signal.',
    todo: 'Plan again to see what has been done by then.',
  },
  Conflict: {
    means:
      'The host has changed since it was looked at, or somebody else is changing the partition right now. Nothing is overwritten that the plan had not seen.',
    todo: 'Look again with `unnest plan`, then try once more.',
  },
  Refused: {
    means: 'libvirt understood what was asked and said no. Its own words stand beside it.',
    todo: 'Mend what libvirt names. Its log (journalctl -u libvirtd) often says more.',
  },
  Unsupported: {
    means: 'This host, or the connection to it, cannot do what was asked for.',
    todo: 'See `unnest doctor`. A newer libvirt or QEMU may be able to.',
  },
  Protocol: {
    means: 'libvirt answered what it must not, or what this version of unnest does not understand.',
    todo: 'Please report it, with the version of libvirt (`virsh version`).',
  },
};
