/** The three places of a description that are its users' own. */
export const metadataTypes = { description: 0, title: 1, element: 2 } as const;
export type MetadataType = keyof typeof metadataTypes;

/** What to put there; `null` takes it away. */
export type MetadataValue =
  | { readonly type: 'description' | 'title'; readonly text: string | null }
  | {
      readonly type: 'element';
      /** One XML element, without a prefix of its own. */
      readonly xml: string | null;
      readonly prefix: string;
      readonly namespace: string;
    };

/** The value as the fields of the call that sets it. */
export function metadataFields(value: MetadataValue) {
  return value.type === 'element'
    ? { type: 2, metadata: value.xml, prefix: value.prefix, namespace: value.namespace }
    : { type: metadataTypes[value.type], metadata: value.text, prefix: null, namespace: null };
}
