/** A read that fails is a thing that is not known, and never throws. */
import { explainError } from '../host/host-error.ts';
import { type Observation, present, unknown } from '../model/observation.ts';

export async function attempt<T>(read: () => Promise<T>): Promise<Observation<T>> {
  try {
    return present(await read());
  } catch (error) {
    return unknown(explainError(error));
  }
}
