/**
 * Bounds on what a bundle of documents may cost to read (invariant 11). They are far above any
 * honest use: 10,000 Secondaries of a dozen lines are 4 MiB.
 */
export const documentLimits = {
  bundleBytesMax: 10 * 2 ** 20,
  /** One document: the bound on what a single mistake can cost to find. */
  documentBytesMax: 2 ** 20,
  documentsMax: 20_000,
  depthMax: 32,
  /** As the yaml package counts: how often all aliases together may be expanded. */
  aliasesMax: 100,
  diagnosticsMax: 200,
  /** Labels of one document, and annotations as well. */
  labelsMax: 64,
  /** Keys and values, of the labels and annotations of one document together. */
  labelCharactersMax: 16 * 2 ** 10,
  /** After replicas are expanded: every replica has all labels, and every status tells of them. */
  expandedLabelBytesMax: 8 * 2 ** 20,
  /** After replicas are expanded. */
  secondariesMax: 20_000,
  /** Who waits for whom at the start, after replicas are expanded. */
  startAfterPairsMax: 100_000,
  /** Volumes that are copies of copies: every look at the last goes through all before it. */
  copyChainMax: 64,
} as const;
