/** Where a user's own state of unnest is, as the XDG base directories have it. */
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Made if it is not there. @param variables of the environment */
export async function userStateDir(variables: NodeJS.ProcessEnv): Promise<string> {
  const said = variables['XDG_STATE_HOME'] ?? '';
  // A relative one is to be ignored, says the specification.
  const folder = join(isAbsolute(said) ? said : join(homedir(), '.local/state'), 'unnest');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}
