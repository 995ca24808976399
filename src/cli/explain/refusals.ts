/** Why unnestd does not do what it was asked for. */
import type { WishRefusalCode } from '../../channel/control.ts';
import type { ClientErrorCode } from '../../channel/daemon-error.ts';
import type { ApiProblemCode } from '../../channel/problem.ts';
import { channelLimits, operatorLimits, primaryLimits } from '../../channel/limits.ts';
import type { RefusalCode } from '../../report/submission.ts';
import type { Explanations } from './explanation.ts';

export const refusalExplanations: Explanations<RefusalCode> = {
  NotTheSource: {
    means:
      'Somebody else says what this partition is to be: spec.source of its Partition names the directory on the host (Directory), `unnest apply` (Apply) or the Primary (Channel), and only that one counts.',
    todo: 'Hand the documents in there, or let the operator change spec.source.',
  },
  NoPartition: {
    means: 'The operator has described no partition of this name on this host.',
    todo: 'Look at `unnest status` for those that there are. A new one needs a Partition document of the operator.',
  },
  Invalid: {
    means: 'The documents are not valid, or could not be read; those in force stay in force.',
    todo: 'Mend what is named beside it, and hand them in again.',
  },
  StaleGeneration: {
    means: 'The generation that was given is older than the one in force.',
    todo: 'Give a higher one, or none: then the next one is taken.',
  },
  GenerationReused: {
    means: 'Other documents were accepted under this generation before.',
    todo: 'Give a higher one, or none: then the next one is taken.',
  },
  NotInForce: {
    means:
      'The documents were to replace a generation that is no longer the one in force: somebody has handed others in meanwhile.',
    todo: 'Look at what is in force (`unnest history`, `unnest plan`), then apply again.',
  },
  NoSuchGeneration: {
    means: 'This generation was never accepted, or is no longer kept.',
    todo: '`unnest history` lists those that are kept.',
  },
  RolledBack: {
    means:
      "The partition's folder still holds the documents that were in force before a rollback, so that they do not count: or the rollback would hold until the next look only.",
    todo: 'Mend the documents in the folder; any change of what they say counts again.',
  },
  NotRead: {
    means:
      'Documents are read by a worker without rights, and it has failed: it could not be started or brought into the slice of the partition, hung, or died. What is in force stays in force.',
    todo: 'Try again. If it stays so, look what `unnest events` says of it: bubblewrap may be missing, the documents may want more memory than a worker has, or the guests may leave none in the slice: what operators ask for, such as `unnest stop`, needs no worker.',
  },
  NotStored: {
    means:
      'The documents could not be written down so that they survive a crash, and so they do not count. Those in force stay in force.',
    todo: 'Look whether the disk of the state directory is full or read-only.',
  },
  Draining: {
    means: 'The partition is being emptied, and nothing is taken until that is ended.',
    todo: '`unnest resume` ends it.',
  },
  TooBusy: {
    means: 'More is waiting for unnestd already than may.',
    todo: 'Try again in a moment. If it was about the disk of an Image: `unnest hand-over NAME`, without a file: what is on its disk is not written anew.',
  },
};

export const wishExplanations: Explanations<WishRefusalCode> = {
  NothingYet: {
    means: 'No documents are in force for this partition, so there is nothing to start or stop.',
    todo: 'Hand some in: `unnest apply -f`.',
  },
  NoSuchSecondary: {
    means: 'No document in force speaks of a Secondary of this name.',
    todo: '`unnest get` lists those that there are.',
  },
  RunPolicy: {
    means:
      'The document says itself when the guest runs, and would undo what was asked for: one with Always or RerunOnFailure is started again, one with Halted stays stopped.',
    todo: 'For a guest that is started and stopped by hand write runPolicy: Manual. To stop another for good write Halted; `unnest restart` goes with all but Halted.',
  },
  NoSuchImage: {
    means: 'The documents in force have no Image of this name.',
    todo: 'Submit its document first (`unnest apply`, or the folder of the agent), then hand in its bytes.',
  },
  NotHandedOver: {
    means: 'The document of the Image does not say that its bytes come on a disk.',
    todo: 'Look at its spec.source: what is uploaded comes by `unnest upload`.',
  },
  NotUploaded: {
    means: 'The document of the Image does not say that its bytes are uploaded.',
    todo: 'Look at its spec.source: what is handed over on a disk comes by `unnest hand-over`.',
  },
  AwaitingBytes: {
    means:
      'There is no room for the bytes of the Image yet: its document is too new, or something keeps the room from being made.',
    todo: 'Look at `unnest status`, which says what keeps it, and try again. What was written to the disk for other bytes of that Image is to be written anew, to the next one.',
  },
  ImageBlocked: {
    means:
      'The bytes of the Image are on their disk, and nothing would be made of them now; the message says what blocks it. A word that waited for the end of that would take the disk from the Primary at a time when it has it in use again. So it was not taken down, and the disk stays where it is, with all that is on it.',
    todo: 'Do what `unnest explain CODE` says of the code in the message: halt the Secondary that runs with the old bytes, or give the new ones an Image of another name. Then say it again: `unnest hand-over NAME`, without a file: what is on its disk is not written anew.',
  },
  NotInTime: {
    means: `Before a disk is taken the host is looked at, and that took longer than ${channelLimits.wordMs / 1000} seconds: it answers slowly, or other partitions are looked at. Whoever has asked may give up at any time, and have the disk in use again. So nothing was taken down, and the disk stays where it is.`,
    todo: 'Look at `unnest status`, then say it again: `unnest hand-over NAME`, without a file: what is on its disk is not written anew.',
  },
  NotTaken: {
    means: 'The bytes do not continue what has come before, are too many, or could not be written.',
    todo: 'Run `unnest upload` again: it goes on where it stopped. The reason is in the message.',
  },
  KeyReused: {
    means:
      'The request came with an idempotency key that this partition knows from another order of the same submitter, within the last hour. Nothing was done.',
    todo: 'A program that sets Idempotency-Key itself takes a new one, such as a random UUID, for each order, and the old one only to ask again for the same. unnest does so.',
  },
  GuestNotRunning: {
    means: 'Only a Secondary that runs has a console.',
    todo: 'Wait until it does: `unnest wait NAME --for running`.',
  },
  NoConsoleLogs: {
    means: 'The operator has told unnestd to keep nothing of what guests write to their consoles.',
    todo: 'Read it while it is written (`unnest console NAME`), or let the operator set `consoleLogs: true` in the configuration of unnestd.',
  },
  SomebodyTypes: {
    means:
      'Many may read a console, and one of them may type. Somebody else does; the message says who.',
    todo: 'Ask them to leave theirs (Ctrl-]), or take it: `unnest console NAME --force`. They are told.',
  },
  NotTyping: {
    means:
      'What was typed came from a reader of the console that does not type there any more: it has stopped reading, the guest has stopped, or somebody else has taken its place.',
    todo: 'Open the console anew.',
  },
  GuestReadsNothing: {
    means:
      'The guest has left what was typed before where it is for ten seconds: nothing in it reads its serial console.',
    todo: 'Does the guest have a login on its console (a getty on ttyS0)? `unnest logs NAME` says what it wrote.',
  },
  NotOpen: {
    means:
      'What unnestd keeps of the partition, its documents and wishes, could not be read yet, so nothing is done to it.',
    todo: '`unnest status` says why; unnestd tries again by itself.',
  },
};

export const apiExplanations: Explanations<ApiProblemCode> = {
  BadRequest: {
    means: 'The request does not have the form that the API takes; the answer names the field.',
    todo: 'Mend the field. If unnest itself sent it: are unnest and unnestd of the same version?',
  },
  NotFound: {
    means: 'The API has no such route.',
    todo: 'Check the address. If unnest itself asked: are unnest and unnestd of the same version?',
  },
  NothingAccepted: {
    means: 'No documents were accepted for this partition yet.',
    todo: 'Hand some in: `unnest apply -f`.',
  },
  TooLarge: {
    means: `The request is larger than ${operatorLimits.bodyBytesMax / 2 ** 20} MiB (from a Primary ${primaryLimits.bodyBytesMax / 2 ** 20} MiB), or more of documents than a partition may have.`,
    todo: 'Split the documents over several partitions.',
  },
  UnsupportedMediaType: {
    means: 'The API takes JSON and nothing else.',
    todo: 'Send it with content-type: application/json.',
  },
  EventsGone: {
    means:
      'Events behind the one that was named are no longer kept, or unnestd was started anew since and counts from 1 again. Nobody can say what has happened in between.',
    todo: 'Begin without --after, and look at `unnest status` for what is so now.',
  },
  TooManyRequests: {
    means: `A Primary may ask ${primaryLimits.rate?.perSecond ?? 0} times in a second in the long run, and ${primaryLimits.rate?.burst ?? 0} times at once.`,
    todo: 'Wait a second. Programs that want to know of changes ask once and go on reading: `unnest events -w`, `unnest get -w`.',
  },
  OperatorsOnly: {
    means:
      "Only the host's operators may do this: what they have paused or are emptying is not a tenant's to take back.",
    todo: 'Ask the operator. To have nothing run, give documents with runPolicy: Halted, or none.',
  },
  AgentElsewhere: {
    means:
      'One agent keeps a partition up to date, and another one is connected for this partition. The first one keeps it until it ends or its connection breaks.',
    todo: 'Run `unnest agent` once in the Primary: look for the other one (`systemctl status unnest-agent`).',
  },
  NotConfirmed: {
    means: 'To empty a partition, its name has to be given once more.',
    todo: 'Send it as "confirm".',
  },
  NoHost: {
    means:
      'The agent in this Primary cannot reach unnestd on the host. What was accepted stays in force there.',
    todo: 'The message says why. Does the VM have a vsock device, has its partition source: Channel, and does unnestd run? Its operator can tell.',
  },
  NoAnswer: {
    means:
      'unnestd has not answered in time. Whether it will still do what it was asked for is not known.',
    todo: 'Look at `unnest status` and `unnest history` before asking again.',
  },
  Internal: {
    means: 'A bug in unnestd.',
    todo: 'Please report it, with what its log says (`journalctl -u unnestd`).',
  },
};

export const clientExplanations: Explanations<Exclude<ClientErrorCode, 'Cancelled'>> = {
  NotRunning: {
    means: 'Nobody answers on the socket of unnestd.',
    todo: '`systemctl start unnestd` starts it, in a Primary `systemctl start unnest-agent`. On a host, unnest works on it directly with --host.',
  },
  NotAllowed: {
    means: 'The socket of unnestd is not for this user.',
    todo: "Run unnest as root, or as a member of the socket's group (`ls -l /run/unnest`).",
  },
  Broken: {
    means: 'The connection to unnestd has ended in the middle of an answer.',
    todo: 'Look whether it still runs (`systemctl status unnestd`), then ask again. One that reads too slowly is disconnected too.',
  },
  VersionsDiffer: {
    means:
      'This unnest and the unnestd that answers are of different versions, and one of them lacks what the other asks for; the message says which is older. All else goes on working, and what was accepted stays in force.',
    todo: 'Upgrade the older side: on the host unnest and then `systemctl restart unnestd`, in a Primary unnest and then its agent.',
  },
  NotUnderstood: {
    means: 'What answers on the socket does not answer as unnestd of this version does.',
    todo: 'Compare `unnest --version` with that of unnestd; is --socket the right one?',
  },
};
