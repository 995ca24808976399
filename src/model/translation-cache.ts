/** How much of the code that QEMU has translated for an emulated guest it keeps, beside its memory. */
const MiB = 2 ** 20;

/** What new ones are given. A boot of Linux was seen to fill 48 MiB. */
export const TRANSLATION_CACHE_BYTES = 128 * MiB;

/** QEMU's own choice where nothing is said (`DEFAULT_CODE_GEN_BUFFER_SIZE` on 64 bits). */
export const TRANSLATION_CACHE_BYTES_DEFAULT = 1024 * MiB;
