import type { CallOptions } from './call-options.ts';
import { flagSet, type OptionsOf } from './flags.ts';

/**
 * Which of a domain's two descriptions a call is about. With neither: of a running domain the
 * live one, else the stored one. `live` fails for a domain that does not run.
 */
export const impactFlags = flagSet({ live: 1, config: 2 });
export type ImpactOptions = OptionsOf<typeof impactFlags> & CallOptions;
