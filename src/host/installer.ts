/**
 * Putting the daemon on a host, and taking it off again: the steps as plain data, so that what a dry
 * run prints is what a run carries out.
 */
export interface InstallRequest {
  /** Absolute; `/` is this machine, anything else an image that does not run. */
  readonly root: string;
  /** Of Node and of unnestd, as the installed system names them. */
  readonly node: string;
  readonly program: string;
  /** Overwrites and removes what somebody has changed, too; runs what others may write to. */
  readonly force: boolean;
}

export type InstallStep =
  | { readonly kind: 'make-folder'; readonly path: string; readonly mode: number }
  | {
      readonly kind: 'write-file';
      readonly path: string;
      readonly content: string;
      readonly because: 'missing' | 'outdated' | 'forced';
    }
  | {
      readonly kind: 'remove-file';
      readonly path: string;
      readonly because: 'unchanged' | 'forced';
    }
  /** Of a folder that is empty by then; one that is not, stays. */
  | { readonly kind: 'remove-folder'; readonly path: string }
  | { readonly kind: 'run'; readonly command: string; readonly args: readonly string[] }
  | { readonly kind: 'keep'; readonly path: string; readonly because: KeepReason }
  /** What somebody else has made of it stays, and the work is not whole. */
  | { readonly kind: 'conflict'; readonly path: string; readonly because: ConflictReason };

export type KeepReason =
  | 'current' // it is as it is to be
  | 'yours' // for the operator to write
  | 'in-use' // there is something in it
  | 'owns-files'; // files may belong to it

export type ConflictReason =
  | 'changed' // since it was installed, or it was never ours
  | 'not-a-file' // a link, a folder, a device
  | 'not-a-folder'
  | 'outside' // links lead out of the root
  | 'open-to-others'; // others than root may write to what would run as root

export interface Installer {
  /** What runs this command, and the unnestd beside it. */
  readonly node: string;
  readonly program: string;
  /** @throws HostError */
  planInstall(request: InstallRequest): Promise<readonly InstallStep[]>;
  /** @throws HostError */
  planUninstall(request: InstallRequest): Promise<readonly InstallStep[]>;
  /** @returns what is to be said of it beyond the step; null: nothing. @throws HostError */
  carryOut(step: InstallStep): Promise<string | null>;
}
