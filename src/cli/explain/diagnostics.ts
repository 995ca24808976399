/** What is wrong with documents, in more words than fit beside a line. */
import type { DiagnosticCode } from '../../documents/diagnostic.ts';
import { documentLimits } from '../../documents/limits.ts';
import type { Explanations } from './explanation.ts';

const mebibytes = documentLimits.bundleBytesMax / 2 ** 20;

export const diagnosticExplanations: Explanations<DiagnosticCode> = {
  InvalidYaml: {
    means:
      'The text is not YAML 1.2: a quote or bracket that is not closed, an indentation that fits nothing, a key that is not a text, or a file that ends in the middle.',
    todo: 'Look at the place that is named, and at the line before it. Was the file written to its end?',
  },
  DuplicateKey: {
    means: 'The same key stands twice in one mapping, and YAML does not say which one counts.',
    todo: 'Remove one of the two.',
  },
  UnsupportedTag: {
    means:
      'A value has a YAML tag, such as !custom. Documents are plain values; nothing is run or looked up to read them.',
    todo: 'Write the value out, without the tag.',
  },
  TooLarge: {
    means: `There is more than unnest reads at once: ${mebibytes} MiB of text, ${documentLimits.documentBytesMax / 2 ** 20} MiB for one document, ${documentLimits.documentsMax} documents, ${documentLimits.secondariesMax} Secondaries with their replicas, ${documentLimits.expandedLabelBytesMax / 2 ** 20} MiB of their labels, or ${documentLimits.startAfterPairsMax} pairs of Secondaries that wait for one another.`,
    todo: 'Split the documents over several partitions. Is it the right file?',
  },
  TooDeep: {
    means: `Mappings and lists are nested more than ${documentLimits.depthMax} deep; no document needs more than six.`,
    todo: 'Is it the right file? Where something was pasted, check its indentation.',
  },
  TooManyAliases: {
    means: `Aliases (*name) would be expanded more than ${documentLimits.aliasesMax} times, or one of them names an anchor that is not there. Aliases of aliases grow without bound, so they are counted.`,
    todo: 'Write the values out. For Secondaries that are alike use spec.replicas.',
  },
  NotUtf8: {
    means: 'The file has bytes that are not UTF-8 text.',
    todo: 'Is it the right file? Save it as UTF-8.',
  },
  NotADocument: {
    means:
      'What stands there is a list or a single value, not a mapping with apiVersion, kind, metadata and spec.',
    todo: 'Separate documents with lines of `---` rather than putting them into a list.',
  },
  UnknownApiVersion: {
    means: 'The document is of another version of the language, or not one of unnest at all.',
    todo: 'Write `apiVersion: unnest.dev/v1`. If the file is for another tool, keep it in another directory.',
  },
  UnknownKind: {
    means: 'There is no such kind of document.',
    todo: 'Write one of the kinds that are named; mind upper and lower case.',
  },
  UnknownField: {
    means:
      'There is no such field at this place. A field that is not known is refused, because what somebody meant by it would be missing.',
    todo: 'Check its spelling, and the indentation: it may belong to another level. `unnest explain Secondary.spec` lists what there is.',
  },
  MissingField: {
    means: 'A field without default is not there.',
    todo: 'Add it. `unnest explain FIELD` says what it can be.',
  },
  InvalidValue: {
    means:
      'The field is known, and what stands in it cannot be: of another type, form or range than expected.',
    todo: 'Write what is expected. `unnest explain FIELD` says it with all there is to know.',
  },
  DuplicateName: {
    means:
      'Two documents of one kind have the same name, or a replica (NAME-0, NAME-1 and so on) has the name of another Secondary.',
    todo: 'Rename one of them. Was a file given twice, or copied and left there?',
  },
  DiskInUse: {
    means:
      'Two guests would write to one disk image at the same time, which destroys the file system on it.',
    todo: 'Copy the file in the store and name the copy. Replicas cannot boot from a disk; let them boot a kernel, or give each a document.',
  },
  UnknownReference: {
    means: 'A document names another one that is not among those that were given.',
    todo: 'Check the spelling, and that all files were given with -f: they are the whole partition.',
  },
  StartCycle: {
    means:
      'Secondaries wait for one another in a circle, or one for itself, so that none of them could ever start.',
    todo: 'Take one of the names out of spec.startAfter.',
  },
  WrongPartition: {
    means:
      'A document of kind Partition describes another partition than the one the documents are for, or there are two of them.',
    todo: 'Name the partition with -p, or move the document to those of its own partition.',
  },
  OperatorsOnly: {
    means:
      "A document of kind Partition is among those that a partition's user submits. What a partition may have is said by the host's operator alone, in the directory where unnestd reads it.",
    todo: 'Take the document out; the operator puts it into the folder of the Partition documents, which `unnest status` names.',
  },
  NotTheSource: {
    means:
      'The Partition document says with spec.source who may say what the partition is to be, and that is somebody else: with `Directory` only the files in its directory, which unnestd reads.',
    todo: "Change the files in the partition's directory. If you are the operator and mean to use `unnest apply`, set spec.source to Apply.",
  },
  NotYetSupported: {
    means:
      'The document is valid, and this version of unnest cannot act on it. It is refused as a whole: half of what was asked for would not be what was asked for.',
    todo: 'Leave it out of what you `plan` and `apply`; `validate` and `render` take it.',
  },
};
