/**
 * What differs for one Secondary. A change says what and why; what is done about it, and in which
 * order, is the plan's to say.
 */
import type { ObservedDomain } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';
import type { Secondary } from '../model/secondary.ts';
import type { FieldChange } from './fields.ts';

export const REASONS = [
  'not-on-host', // wanted, and the host has no such domain
  'document-changed', // it asks for something else than was last applied
  'changed-outside', // somebody changed the definition, or the guest, on the host
  'definition-gone', // it runs, but somebody undefined it
  'not-running', // its run policy wants it running
  'paused', // its run policy wants it running, and somebody suspended it
  'should-be-halted', // its run policy wants it stopped
  'stop-noted', // it runs, and still carries the note of a stop that was to come
  'not-in-documents', // ours, and no document speaks of it
  'asked-for', // a person named it for removal
] as const;
export type Reason = (typeof REASONS)[number];

export type BlockCode =
  | 'HostUnknown' // the host could not be read, so nothing may be concluded
  | 'NameTaken' // a domain that is not ours has the name
  | 'MarkMismatch' // it has our UUID or name, but its mark says another owner
  | 'FileMissing' // a file it needs is not in the partition's store
  | 'FileUnknown' // a file it needs could not be looked at
  | 'MarkUnreadable' // it would be deleted, and its mark does not say whether it is protected
  | 'DiskMoved' // its disk was replaced on the host, and the way back may lose data
  | 'Protected' // it would be deleted, and its document said `protect: true`
  | 'StartAfterUnmet' // what it starts after does not run
  | 'TooManyDeletions' // more than one plan may delete
  | 'DeletesEverything'; // the documents hold no Secondary, and nobody said that this is meant

export interface Block {
  readonly code: BlockCode;
  readonly message: string;
}

export type PowerChange = 'none' | 'start' | 'resume' | 'stop';

export type Change =
  | { readonly kind: 'create'; readonly name: SecondaryName; readonly secondary: Secondary }
  | UpdateChange
  | { readonly kind: 'delete'; readonly name: SecondaryName; readonly observed: ObservedDomain }
  | { readonly kind: 'blocked'; readonly name: SecondaryName; readonly block: Block };

/** Also where nothing differs: then all three parts are empty. */
export interface UpdateChange {
  readonly kind: 'update';
  readonly name: SecondaryName;
  readonly secondary: Secondary;
  readonly observed: ObservedDomain;
  /** Between what its next start would use and what is wanted. */
  readonly definition: readonly FieldChange[];
  /** Between what runs and what is wanted. */
  readonly running: readonly FieldChange[];
  readonly power: PowerChange;
}
