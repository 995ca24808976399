/** Why a plan leaves something alone. */
import type { BlockCode } from '../../diff/change.ts';
import type { Explanations } from './explanation.ts';

export const blockExplanations: Explanations<BlockCode> = {
  HostUnknown: {
    means:
      'Something that has to be known of the host could not be read. From what is unknown nothing follows: neither a creation nor a deletion.',
    todo: 'Look at the reason that is named, and at `unnest doctor`; then plan again.',
  },
  NameTaken: {
    means:
      'A domain that unnest did not make has the name that this Secondary would get. It is left as it is.',
    todo: 'Rename the Secondary, or the other domain (`virsh domrename`).',
  },
  MarkMismatch: {
    means:
      'A domain has the UUID or the name of this Secondary, and its mark says that it belongs to another installation, partition or Secondary.',
    todo: 'Was the host copied, or its state directory restored from another one? Look at the mark with `virsh metadata`; remove the domain by hand if it is a leftover.',
  },
  FileMissing: {
    means:
      "A kernel, RAM disk or disk image that the document names is not in the partition's store.",
    todo: 'Put it into /var/lib/unnest/PARTITION/files/ (or below --state-dir), or correct its name in the document.',
  },
  FileUnknown: {
    means:
      "A file in the partition's store could not be looked at, so that it is not known whether it is there.",
    todo: 'Check the permissions of the store; run as root.',
  },
  NotAllowed: {
    means:
      "The operator of the host has not allowed it to this partition: a file of the host's catalogue that its policy does not name, or a disk for a Primary that was not granted any.",
    todo: 'Ask the operator: `policy.images` and `primary.grants` (handOver, imageDisk) of the Partition document say what is allowed.',
  },
  HostNotAllowed: {
    means:
      'It is an Image that is to be fetched from a URL, and the operator does not let this partition have any from that host, or from that port of it. Nothing was asked of the host.',
    todo: 'Ask the operator to name it in `policy.imageHosts` of the Partition document, or supply the Image in another way.',
  },
  Fetching: {
    means:
      'It is an Image that unnestd fetches from a URL, and not all of it has come. There is room for it, and whatever begins as this Image waits. Without unnestd (`--host`) nobody fetches it.',
    todo: 'Wait: `unnest get --kind intakes` shows how much has come. What has failed about it is said in its place.',
  },
  AwaitingBytes: {
    means:
      'It is an Image whose bytes its Primary hands in, and they have not all come. There is room for them, and whatever begins as this Image waits.',
    todo: 'In the Primary: `unnest upload NAME FILE`, `unnest hand-over NAME FILE` where its document says handOver (without the file if it is written already), or `unnest hand-over NAME` once its file is on the image disk and that is unmounted.',
  },
  Protected: {
    means: 'It would be deleted, and its document said `protect: true`.',
    todo: 'If it is meant: apply it with `protect: false` first, then remove the document.',
  },
  MarkUnreadable: {
    means:
      'It would be deleted, but its mark on the host was changed by hand, so nobody knows whether it is protected.',
    todo: 'Apply its document once more, which writes the mark anew, and remove it after that.',
  },
  DiskMoved: {
    means:
      'On the host its disk is another file than was applied: after an external snapshot, for one. Going back to the old file would lose what was written since.',
    todo: 'Merge the snapshot (virsh blockcommit), or name the new file in the document.',
  },
  StartAfterUnmet: {
    means:
      'It is to be started after another Secondary (spec.startAfter), which does not run and will not run by this plan, or runs and is not ready yet (its spec.readiness). Without unnestd nobody connects to ports of guests or hears their heartbeats: who starts after one with readiness TcpPort or Heartbeat is not started by `unnest apply` alone.',
    todo: 'See why the other one does not run, or what it waits for (`unnest describe`); or take it out of spec.startAfter. What only needs time, the next apply finds ready.',
  },
  CidTaken: {
    means:
      'With readiness: Heartbeat it gets a vsock device, whose address (CID) follows from its UUID. Another domain of the host has that address, or its own domain has a vsock device that unnest did not put there. Nothing is overwritten.',
    todo: "As the operator, look for the address in `virsh dumpxml` of the host's domains, and give that domain another one; or rename the Secondary, or use another readiness.",
  },
  TooManyDeletions: {
    means:
      'The plan would delete more Secondaries, Volumes and Images together than one plan may. An Image of which only a part has come in counts, too.',
    todo: 'Were all documents given? If it is meant, say --max-deletions COUNT.',
  },
  DeletesEverything: {
    means:
      'The documents keep none of the Secondaries and Volumes that are there (or none of the Images, where there is nothing else), so that all of these would be deleted, and Images with them. An emptied directory is more often an accident than a wish.',
    todo: 'If it is meant, say --delete-everything, or use `unnest destroy --all`.',
  },
  SavedState: {
    means:
      "Somebody saved the guest's memory (`virsh managedsave`). It will go on with the devices that it had then, so none of them may change or be given away meanwhile.",
    todo: 'Put into its document what it had, let it run, and change it then. Or let the operator give the saved memory up (`virsh managedsave-remove DOMAIN`): it then boots anew.',
  },
  PartBlocked: {
    means:
      'It (a Secondary, or the NIC of the Primary) needs a Volume, an Image, the network or its packet filter, and that is blocked itself, for the reason that is named. Nobody comes up on a network unfiltered: where the filter cannot be read or made (no nft, a kernel without nf_tables), guests without a NIC go on.',
    todo: 'Mend what is named; this one follows by itself.',
  },
  NetworkMissing: {
    means: 'It asks for a NIC on the network of its partition, and the partition has none.',
    todo: 'Apply a Partition document with spec.network, or say network: None.',
  },
  NoFreeAddress: {
    means: "Every address of the partition's subnet is given to somebody.",
    todo: 'Remove Secondaries that are not needed, or give the Partition a larger spec.network.cidr (which needs all its guests halted). An address that this plan gives back is free for the next one.',
  },
  UplinkUndecided: {
    means:
      "The Partition names no spec.network.uplink, so that its network is to leave the host by the interface that the Primary's own NIC leaves by. There is no one such interface: the Primary has no NIC that leaves the host, or several that leave by different ones, or one of a kind that does not say it (SLIRP, passthrough).",
    todo: 'Name the interface as spec.network.uplink, or say mode: isolated. A network that is there already goes on as it is.',
  },
  NetworkInUse: {
    means:
      'The change would stop the network, and guests that run on it would be cut off until they are restarted.',
    todo: 'Halt them (runPolicy: Halted), apply, and let them run again; or leave the network as it is.',
  },
  VolumeInUse: {
    means:
      'A guest still has the Volume, whatever the documents say: it sleeps, has not let go of it, or only loses it with its next start. So the Volume is not deleted, and nobody else gets it.',
    todo: 'Restart, halt or delete that guest; what waits for it follows then.',
  },
  ImageInUse: {
    means:
      'Volumes lie on the bytes of this Image (provision: Overlay), or a guest that was booted with them (spec.boot.kernel) runs or is saved (`virsh managedsave`), so they are not replaced. One that is saved is restored with them.',
    todo: 'Give the new bytes an Image of another name: new Volumes then lie on that, and a Secondary whose spec.boot.kernel names it is restarted as for any other change of what it boots. Or halt the guests that are named; then the bytes are replaced. One that is saved and stays so (runPolicy: Halted or Manual) has to run again before it can be halted or boot anything else; or put the old digest back, or let the operator give its saved memory up (`virsh managedsave-remove DOMAIN`).',
  },
  BootTooLarge: {
    means:
      'The kernel and the initial RAM disk that the Secondary names (spec.boot.kernel) are larger together than the memory in which they could be loaded: from 1 MiB on, up to 2 GiB at most however much memory it has, and without the 160 KiB at the end of that which its firmware keeps.',
    todo: 'Give the Secondary more memory (spec.memory; an initial RAM disk also takes room once it is unpacked), or boot a smaller one: what an initial RAM disk holds besides what finds the disk can be on a Volume.',
  },
  ShrinkRefused: {
    means:
      'The Volume is larger than its document says. A smaller one would lose what is behind its end.',
    todo: 'Write the size that it has (`unnest get --kind volumes`), or copy the data to a new Volume.',
  },
  FormatFixed: {
    means: 'The Volume has another format than its document says, and cannot change it.',
    todo: 'Write the format that it has (`unnest get --kind volumes`), or copy the data to a new Volume.',
  },
  FormatNotKept: {
    means:
      'The operator of this host keeps Volumes as logical volumes in a thin pool of LVM. Those are raw: there is no qcow2 in one, and so none that lies on an Image (provision: Overlay). Or the Volume that is to be copied is in another thin pool than new ones are, as the message says.',
    todo: 'Write format: raw, or nothing, since that is the default. For a Volume that begins as an Image, take an Image of format raw with provision: Copy.',
  },
  StoreFull: {
    means:
      "The Volumes of this host are logical volumes in a thin pool, and all that are in it, whoever's they are, must not come to more than the pool has: one that runs full breaks the disks of all guests in it. Or the pool is not one that Volumes can be put in, which the message says.",
    todo: 'Delete Volumes that nobody needs, or ask the operator: lvextend makes the pool larger, and lvextend --poolmetadatasize its map.',
  },
  OriginFixed: {
    means:
      'The Volume has begun in another way than its document says, and lies on an Image, or does not.',
    todo: 'Write what it has begun as (`unnest get --kind volumes`), or make a new Volume.',
  },
  NothingToCopy: {
    means:
      'The Volume is to begin with the data of another (copyOf), and the host has none of that name.',
    todo: 'Correct the name: `unnest get --kind volumes` shows which there are. Or take copyOf out, and it begins empty.',
  },
  CopyDiffers: {
    means:
      'The Volume is to begin with the data of another (copyOf), which is of another format, or lies on another Image. A copy is what it is a copy of.',
    todo: 'Write the same format, image and provision as that one has (`unnest get --kind volumes`).',
  },
  PrimaryMissing: {
    means:
      'The Partition names the domain of its Primary (spec.primary.domain), and the host has none of that name. What is reserved for it stays free.',
    todo: 'Define the domain, or correct the name. Names are those of `virsh list --all`.',
  },
  PrimaryNotReleasing: {
    means:
      'The partition has room for it only if its Primary gives some of what it has, and its guest does not: it was asked, waited for, and has not released. It is asked again after a while, and the limits are never exceeded meanwhile.',
    todo: 'Look into the Primary: memory in use cannot be unplugged, nor can a busy CPU, and its kernel needs virtio_mem and memory hot-unplug. Or reserve less for it, or ask for less.',
  },
  HostOvercommitted: {
    means:
      'The host does not have what the partitions are to have together: vCPUs (spec.limits.vcpus), memory (spec.limits.memory) or CPUs that nobody else is to get (spec.guarantees.cpuset). Who was let in before stays in; this partition came after, or was to have more, and is left alone as a whole: nothing is started, changed or deleted in it.',
    todo: "Do one of the things that the message says: lower the limits of one that is named, or promise more than there is (spec.overcommit of unnestd's configuration). It goes on by itself. `unnest status` shows what is promised; `unnest drain` works meanwhile.",
  },
  SubnetTaken: {
    means:
      "The partition's subnet (spec.network.cidr) overlaps that of a partition that was there before, or one that the host itself reaches by an interface of its own. Packets would go to the wrong one, so the partition is left alone as a whole.",
    todo: 'Give it another subnet in its Partition document. It goes on by itself.',
  },
  OverBudget: {
    means:
      "The partition's limits leave no room for it. What is used counts: Secondaries that are defined, vCPUs and memory of those that run (with what each virtual machine needs besides its guest), Volumes by their size and Images by their bytes.",
    todo: 'Shrink, halt or delete one of those that are named, ask for less, or ask the operator for larger limits (Partition, spec.limits). What fits by then is done by itself.',
  },
  Held: {
    means:
      'Somebody has asked for it to be left alone (`unnest pause`), with the reason that is named. Its guest, its definition, its Volumes and its address stay as they are.',
    todo: 'Wait until the pause is over, or end it with `unnest resume`.',
  },
  CrashLoop: {
    means:
      'Its guest has ended again and again soon after its start, so that the next start waits, longer each time.',
    todo: 'See why it ends (`unnest console`), and mend its document or its disk. `unnest start` tries at once.',
  },
  BackOff: {
    means:
      'The last try failed in a way that may mend itself, so that it is tried again after a wait, which grows with every failure.',
    todo: 'Wait, or look what has failed (`unnest events`); `unnest retry` tries again at once.',
  },
  GaveUp: {
    means:
      'It has failed too often, or in a way that trying again does not mend. Everything else of the partition goes on.',
    todo: 'Look what has failed (`unnest status`), mend it, and say `unnest retry`; a new generation of the documents tries again too.',
  },
};
