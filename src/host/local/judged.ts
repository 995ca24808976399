/** What a tool in its sandbox has made of bytes that a guest may have written. */
import { HostError } from '../host-error.ts';
import { objection, refusal } from '../image-objection.ts';

/** What has gone wrong with them, and not with the host, is said of them. @param name for messages */
export async function judged<T>(name: string, tool: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if ('limit' in error.context) {
      throw refusal(name, objection('OverLimits', 'looking into it takes too much'), error);
    }
    if (!('exitCode' in error.context)) throw error;
    throw refusal(name, objection('Corrupt', `${tool} cannot read it`), error);
  }
}
