/** What `record.ts` writes: per socket, in order, whole packets of both directions. */
export interface Recording {
  readonly about: string;
  readonly sockets: ReadonlyArray<readonly RecordedFrame[]>;
  readonly results: unknown;
}

export interface RecordedFrame {
  readonly from: 'client' | 'server';
  readonly hex: string;
}
