/**
 * What the daemon lets be asked of it: the one interface between the API, which knows who asks, and
 * the loop, which knows what is so. Answers are plain data.
 */
import type { PlainDocument } from '../documents/plain-document.ts';
import type { ImageName, PartitionName, SecondaryName } from '../model/names.ts';
import type { ThinPool } from '../model/thin-pool.ts';
import type { ImageSource } from '../model/volume.ts';
import type { Plan } from '../plan/plan.ts';
import type { AuditEntry } from '../report/audit.ts';
import type { EventRecord } from '../report/event.ts';
import type { HostSum } from '../report/host-sum.ts';
import type { ImagePhase, PartitionStatus } from '../report/partition-status.ts';
import type { UsageSample } from '../report/usage-sample.ts';
import type {
  AcceptedBundle,
  HistoryEntry,
  Rollback,
  SubmissionResult,
  SubmissionSource,
} from '../report/submission.ts';

/** A file as it was handed in: nobody has looked into it yet. */
export interface SubmittedFile {
  readonly path: string;
  readonly text: string;
}

export interface SubmittedFiles {
  readonly source: SubmissionSource;
  readonly submitter: string;
  readonly files: readonly SubmittedFile[];
  readonly generation: number | null;
  readonly ifGeneration: number | null;
  readonly deleteEverything: boolean;
  readonly deletionsMax: number | null;
  /** Of what a folder of the submitter's holds; null: it was handed in by somebody. */
  readonly folder: FolderState | null;
}

export interface FolderState {
  /** False: somebody may still be writing there, so that what is missing is kept (invariant 6). */
  readonly isComplete: boolean;
}

export interface Hold {
  /** Null: the whole partition. */
  readonly secondary: SecondaryName | null;
  readonly reason: string;
  readonly submitter: string;
  /** ISO 8601, UTC; null: until it is resumed. */
  readonly expiresAt: string | null;
}

/** By what an order is known again that comes twice. */
export interface OrderKey {
  /** Of whoever gives the order, for this one. */
  readonly key: string;
  /** Whose keys they are: a user of the host, or a Primary. */
  readonly party: string;
}

export type PowerAction = 'start' | 'stop' | 'restart';

/** Why a wish is refused, beside `RefusalCode`. Not closed: who refuses may know more reasons. */
export type WishRefusalCode =
  | 'NothingYet' // no documents are in force
  | 'NoSuchSecondary' // no document speaks of it
  | 'RunPolicy' // the document rules it otherwise
  | 'NoSuchImage' // no document speaks of it
  | 'NotHandedOver' // its bytes do not come on a disk
  | 'NotUploaded' // its bytes do not come by upload
  | 'AwaitingBytes' // there is no room for them yet
  | 'ImageBlocked' // nothing is taken for it now, whatever its Primary says of a disk
  | 'NotInTime' // the host was not looked at before whoever asks might have given up
  | 'NotTaken' // they are not what is to come next
  | 'KeyReused' // the key of this order was that of another one
  | 'GuestNotRunning' // it has no console now
  | 'NoConsoleLogs' // the operator has none kept
  | 'SomebodyTypes' // another one has the console to type on
  | 'NotTyping' // this reader of the console does not type there, or not any more
  | 'GuestReadsNothing' // the guest leaves what was typed where it is
  | 'NotOpen'; // what is kept of the partition could not be read yet

/** An answer to a wish: taken down, or why not. */
export type Answer =
  | { readonly status: 'ok'; readonly message: string }
  | { readonly status: 'refused'; readonly code: string; readonly message: string };

/** Files that are only to be planned with. */
export type PlannedFiles = Pick<SubmittedFiles, 'files' | 'deleteEverything' | 'deletionsMax'>;

/** What would be done, as a pass would plan it now. */
export interface Planned {
  readonly status: 'planned';
  readonly plan: Plan;
  /** Of the documents that it would replace; 0: none. */
  readonly generation: number;
}

export type PlanResult = Planned | Extract<SubmissionResult, { readonly status: 'refused' }>;

export interface ConsoleReader {
  /** It is open. @param reader names this one to whoever types */
  readonly onOpen: (reader: string) => void;
  readonly onBytes: (bytes: Uint8Array) => void;
  /** It does not type any more. @param by who does, for people */
  readonly onReplaced: (by: string) => void;
  /** Nothing more comes. @param failure for people; null: the guest has ended it */
  readonly onEnd: (failure: string | null) => void;
}

export type ConsoleAnswer =
  /** `read` returns how to stop. */
  | { readonly status: 'ready'; readonly read: (reader: ConsoleReader) => () => void }
  | Extract<Answer, { readonly status: 'refused' }>;

/** How far an Image of the documents in force is. */
export interface ImageState {
  readonly name: ImageName;
  readonly phase: ImagePhase;
  /** Why it is no further; empty: nothing keeps it. */
  readonly message: string;
  readonly source: ImageSource['kind'];
  /** Of one that the Primary hands in, or that is fetched: as many as it has; null: of any other. */
  readonly sizeBytes: number | null;
  /** Of an upload, or what is fetched; null: of any other, or there is no room for it yet. */
  readonly receivedBytes: number | null;
  /** By what a Primary finds its disk, as `/dev/disk/by-id/virtio-SERIAL`; null: it is lent none. */
  readonly serial: string | null;
  /**
   * Whether its Primary has said that this disk is written, and nothing has become of that yet; null: it comes on no
   * disk, or unnestd is of a version that does not say.
   */
  readonly handedOver: boolean | null;
}

type Refused = Extract<Answer, { readonly status: 'refused' }>;

export type ImageAnswer = { readonly status: 'ok'; readonly image: ImageState } | Refused;

export type UploadAnswer =
  | { readonly status: 'ok'; readonly receivedBytes: number; readonly sizeBytes: number }
  | Refused;

export interface ConsoleLogReader {
  readonly onBytes: (bytes: Uint8Array) => void;
  /** All that is kept was given; what comes now is new. */
  readonly onNow: () => void;
  /** Nothing more comes. @param failure for people; null: that was all */
  readonly onEnd: (failure: string | null) => void;
}

export type ConsoleLogAnswer =
  /** `read` returns how to stop. */
  | { readonly status: 'ready'; readonly read: (reader: ConsoleLogReader) => () => void }
  | Extract<Answer, { readonly status: 'refused' }>;

export interface ConsoleLogWish {
  /** Of the run before the last one. */
  readonly previous: boolean;
  /** Also what comes until the run ends. */
  readonly follow: boolean;
}

/** Which of those who read a console is meant. */
export interface ConsoleWish {
  readonly reader: string;
  /** Also where another types there. */
  readonly force: boolean;
}

/** From behind `lostThrough` to `newest`, by `seq`, all events of a partition and the daemon are there. */
export interface EventsKept {
  /** 0: nothing is lost yet. */
  readonly lostThrough: number;
  /** 0: nothing has happened yet. */
  readonly newest: number;
}

/** A mistake in the folder of the Partition documents, because of which one of them is not followed. */
export interface PartitionProblem {
  /** Its name in the folder; empty: the folder itself. */
  readonly file: string;
  readonly code: string;
  readonly message: string;
}

/** Every method that takes a partition answers null where there is none of this name. */
export interface Control {
  readonly version: string;
  /** libvirt's URI, as it is configured. */
  readonly host: string;
  readonly stateDir: string;
  /** Where new Volumes are put; null: into files. */
  readonly thinPool: ThinPool | null;
  readonly partitionsDir: string;
  partitions(): readonly PartitionStatus[];
  problems(): readonly PartitionProblem[];
  /** What the partitions were promised of the host. */
  hostSum(): HostSum;
  status(partition: PartitionName): PartitionStatus | null;
  /** Calls back at every change of a status, until it is stopped. */
  onStatus(listener: (status: PartitionStatus) => void): () => void;
  /** What it uses just now; with each Secondary that runs, if somebody wants to know. */
  usage(partition: PartitionName, secondaries: boolean): Promise<UsageSample | null>;
  /** Of it alone, in the text format of Prometheus. */
  metrics(partition: PartitionName): Promise<string> | null;
  submit(partition: PartitionName, submitted: SubmittedFiles): Promise<SubmissionResult | null>;
  /** What accepting these files would do. Nothing comes of it. */
  plan(partition: PartitionName, files: PlannedFiles): Promise<PlanResult | null>;
  /** What a running Secondary writes to its serial console. Nothing is opened before somebody reads. */
  console(partition: PartitionName, secondary: SecondaryName): ConsoleAnswer | null;
  image(partition: PartitionName, image: ImageName): Promise<ImageAnswer | null>;
  /** Bytes of an Image that is uploaded, behind those that have come; at 0 it begins anew. */
  upload(
    partition: PartitionName,
    image: ImageName,
    atByte: number,
    bytes: Uint8Array,
  ): Promise<UploadAnswer | null>;
  /**
   * All of it is on the disk that was lent for it.
   * @param over fires when nobody waits for the answer any more: nothing is taken down after that
   */
  imageWritten(
    partition: PartitionName,
    image: ImageName,
    submitter: string,
    over: AbortSignal,
  ): Promise<Answer | null>;
  /** What a Secondary has written there in its last run, as far as it is kept. */
  consoleLog(
    partition: PartitionName,
    secondary: SecondaryName,
    wish: ConsoleLogWish,
  ): ConsoleLogAnswer | null;
  /** Makes a reader of that console the one that types there, for as long as it reads. */
  claimConsole(
    partition: PartitionName,
    secondary: SecondaryName,
    wish: ConsoleWish,
    submitter: string,
  ): Answer | null;
  /** @param reader that types there. Resolves when the bytes are on their way to the guest */
  typeOnConsole(
    partition: PartitionName,
    secondary: SecondaryName,
    reader: string,
    bytes: Uint8Array,
  ): Promise<Answer | null>;
  /** Who keeps it up to date from its Primary, for people; null: nobody does. */
  agent(partition: PartitionName): string | null;
  /** @returns how to take it away again; null: there is one already, or it cannot be known yet */
  attachAgent(partition: PartitionName, who: string): (() => void) | null;
  /** What the operator says of it; null: nothing, or there is no such partition. */
  description(name: PartitionName): PlainDocument | null;
  accepted(partition: PartitionName): AcceptedBundle | null;
  history(partition: PartitionName): readonly HistoryEntry[] | null;
  /** Accepts the documents of an earlier generation anew. */
  rollback(
    partition: PartitionName,
    rollback: Rollback,
    submitter: string,
  ): Promise<SubmissionResult | null>;
  pause(partition: PartitionName, hold: Hold): Promise<Answer | null>;
  /** @param secondary null: the whole partition */
  resume(
    partition: PartitionName,
    secondary: SecondaryName | null,
    submitter: string,
  ): Promise<Answer | null>;
  power(
    partition: PartitionName,
    secondary: SecondaryName,
    action: PowerAction,
    submitter: string,
    /** Of an order that may come again and is to be done once. */
    key?: OrderKey | null,
  ): Promise<Answer | null>;
  /** A pass now, with the count of failures forgotten. */
  retry(partition: PartitionName, submitter: string): Promise<Answer | null>;
  /** Empties the partition: every Secondary and the network go, Volumes by their policy. */
  drain(partition: PartitionName, submitter: string): Promise<Answer | null>;
  /** What was asked for by now is written down soon. */
  audit(entry: AuditEntry): void;
  /** The last ones, oldest first. @param partition null: of all */
  audited(partition: PartitionName | null, last: number): Promise<readonly AuditEntry[]>;
  /** Those behind `after` that are still kept, oldest first; not every one may be. */
  events(after: number): readonly EventRecord[];
  /** What `events` can tell without a gap. @param partition null: of all of them */
  eventsKept(partition: PartitionName | null): EventsKept;
  /** Calls back at every event, until it is stopped. */
  onEvent(listener: (record: EventRecord) => void): () => void;
}
