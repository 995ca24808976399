/**
 * The bounds that the wire protocol sets. A peer that passes one of them is broken or hostile,
 * and every one is checked before memory is taken.
 */

/** Length word and header: the shortest packet there is. */
export const packetBytesMin = 28;

/** The length word plus the 32 MiB that libvirtd accepts and sends. */
export const packetBytesMax = 4 + 33_554_432;

/** The longest string that libvirtd accepts or sends, without its length word and padding. */
export const stringBytesMax = 4_194_304;

/** How much of a stream goes into one packet; the same as libvirt's own tools use. */
export const streamChunkBytesMax = 262_120;
