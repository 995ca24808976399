/** What the conditions in a status say (`unnest status`, `unnest describe`). */
import type { ConditionType } from '../../report/condition.ts';
import type { Explanations } from './explanation.ts';

export const conditionExplanations: Explanations<ConditionType> = {
  Ready: {
    means:
      'It is as its document says, as far as a document can say: what is to run, runs and has passed the check that spec.readiness asks for, in this run of its guest; what is declared stopped, is stopped. AwaitsGuestAgent, AwaitsTcpPort and AwaitsHeartbeat say what is waited for. What was ready once stays so until the guest stops: nobody looks again.',
    todo: 'Where it is False: read its reason, and the other conditions beside it. NeedsRestart: it runs without what the check needs, and gets it with its next start (`unnest restart`).',
  },
  Synced: {
    means: 'The host has what the documents ask for.',
    todo: 'Where it is False: unnestd is at work, or something blocks it; the message says which.',
  },
  RestartRequired: {
    means: 'The fields that are named have changed, and the guest takes them at its next start.',
    todo: 'Restart it when it suits (`unnest restart`), or take the change back.',
  },
  Blocked: {
    means: 'Something forbids what the document asks for. Its reason is a code.',
    todo: '`unnest explain REASON` says what it means and what to do.',
  },
  Paused: {
    means: 'A person has asked for it to be left alone, for the reason that is named.',
    todo: '`unnest resume` ends it; without that it ends at the time that is named, if one is.',
  },
  CrashLoop: {
    means: 'Its guest ends again and again soon after its start, so that its next start waits.',
    todo: 'See what it writes (`unnest console`). `unnest start` or `unnest retry` does not wait.',
  },
  DocumentsValid: {
    means: 'The documents that were handed in last could be accepted.',
    todo: 'Where it is False: mend what the message names; those in force stay in force until then.',
  },
  AgentConnected: {
    means:
      'Of a partition with source Channel: whether an agent in its Primary (`unnest agent`) is connected, so that changes of documents there arrive. What was accepted stays in force either way.',
    todo: 'If it is False, look in the Primary whether the agent runs, and on the host whether the Primary does.',
  },
  Accepted: {
    means: 'The documents in force could be read back whole.',
    todo: 'Where it is False: hand the documents in again (`unnest apply`); until then nothing is deleted.',
  },
  HostReachable: {
    means: 'libvirt answers, and what the partition has on its host could be listed.',
    todo: 'Where it is False or Unknown: `unnest doctor` says what to mend. unnestd goes on by itself then.',
  },
  GaveUp: {
    means: 'Something has failed so often that it is no longer tried.',
    todo: 'Mend what the failure names; then `unnest retry`, or hand in other documents.',
  },
  FitsHost: {
    means:
      'The host has room for all that the partition may have (Partition, spec.limits and spec.network), beside what other partitions were promised. It is only said where that is not so: then nothing is done about the partition, and its guests stay as they are.',
    todo: 'Where it is False: `unnest explain REASON`, and what the message says. Where it is Unknown: the host could not be read; `unnest doctor` says what to mend.',
  },
  OverBudget: {
    means:
      'The partition has more than its limits allow: they were lowered, or somebody has started or grown something by hand. What runs, runs on; nothing more is started or made of what there is too much of.',
    todo: 'Shrink, halt or delete Secondaries or Volumes, or have the limits raised (Partition, spec.limits).',
  },
  PrimaryOutside: {
    means:
      "The Primary's domain is not in the partition's slice, so that the kernel does not hold it to the limits together with its Secondaries. Those are held to what it leaves.",
    todo: 'Put the <partition> that is named into its domain (`virsh edit`), and once this condition says RestartRequired, shut it down and start it: before that there is no room for it in the slice, and the kernel would kill it.',
  },
  CpusGuaranteed: {
    means:
      'Whether the CPUs that the partition has for itself (spec.guarantees.cpuset) are kept from all others. From other partitions unnest keeps them itself; from the rest of the host only the kernel can, from Linux 6.7 on.',
    todo: 'Where the kernel cannot, give the other slices of the host other CPUs, by the commands that the message names, with the CPUs that nobody was promised in the place of OTHERS.',
  },
  UplinkDiffers: {
    means:
      "The partition's network leaves the host by another interface than the Primary's own NIC does: because spec.network.uplink names it, or because the Primary's NIC, or the route that it leaves by, was changed after the network was made. Nothing is moved by itself. Unknown: it cannot be told which interface the Primary's NICs leave by.",
    todo: 'Where it is meant, nothing. Otherwise name the interface that is meant (Partition, spec.network.uplink), with the guests of the network halted.',
  },
  OomKilled: {
    means:
      'The memory of the partition has run out, and the kernel has killed something in it since the slice was made. Nobody outside was touched.',
    todo: 'See which guest has crashed: the kernel does not say whom it has killed, so it is told who has crashed when it did; the worker that reads documents is always the first to go. Guests that use more than they were counted with are a mistake of unnest: report it, with `unnest get --kind slices`.',
  },
  MemoryPressure: {
    means: 'Everybody in the partition waits for memory for a good part of the time.',
    todo: 'Halt something in it, or have limits.memory raised. The figure is a metric: unnest_slice_memory_pressure_ratio.',
  },
  CpuThrottled: {
    means:
      'Over the last minute or more, the kernel has held everybody in the partition back in at least a quarter of the periods (of 100 ms) in which something ran, as all of limits.vcpus was used up. It is said until that is less than a tenth.',
    todo: 'Where guests are too slow, halt something in it or have limits.vcpus raised; `unnest top` shows what is used, and the metrics unnest_slice_cpu_periods and unnest_slice_cpu_throttled_periods how often it was so. Guests that simply compute all the time may be held back for ever, and nothing is wrong.',
  },
  Draining: {
    means: 'The partition is being emptied, because somebody has asked for it.',
    todo: '`unnest resume` ends it; what is gone by then comes back from the documents.',
  },
};
