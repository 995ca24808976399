/**
 * One thing that is wrong with a document: what, where, what was expected, and what to do. Every
 * mistake of a bundle is reported at once, so that nobody mends them one run at a time.
 */
export const DIAGNOSTIC_CODES = [
  'InvalidYaml', // not YAML 1.2, or cut off in the middle
  'DuplicateKey', // the same key twice in one mapping
  'UnsupportedTag', // a YAML tag such as !!binary or !custom
  'TooLarge', // bytes or documents over the limit
  'TooDeep', // nested over the limit
  'TooManyAliases', // aliases that would expand beyond the limit
  'NotUtf8', // bytes that are not UTF-8
  'NotADocument', // the top level is not a mapping
  'UnknownApiVersion',
  'UnknownKind',
  'UnknownField',
  'MissingField',
  'InvalidValue',
  'DuplicateName', // two documents of one kind with the same name
  'DiskInUse', // two Secondaries that would write to the same disk
  'UnknownReference', // a name that no document of the bundle has
  'StartCycle', // Secondaries that would wait for one another, or for themselves
  'WrongPartition', // a Partition document that is not of the partition in use
  'OperatorsOnly', // a document that only the host's operator may write
  'NotTheSource', // `Partition.spec.source` says that these do not count
  'NotYetSupported', // valid, and nothing can be done about it yet
] as const;
export type DiagnosticCode = (typeof DIAGNOSTIC_CODES)[number];

export interface SourcePlace {
  readonly file: string;
  /** From 1; 0 where the whole file is meant. */
  readonly line: number;
  /** From 1, in UTF-16 code units as editors count; 0 where the whole line is meant. */
  readonly column: number;
}

export interface Diagnostic extends SourcePlace {
  readonly code: DiagnosticCode;
  /** Where in the document, such as `spec.boot.kernel`; empty for the document itself. */
  readonly path: string;
  readonly message: string;
  /** What to do about it, or null where the message says it all. */
  readonly remedy: string | null;
  /** The line itself, for the caret; null where there is none to show. */
  readonly excerpt: string | null;
}
