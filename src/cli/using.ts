/** Something opened is closed again, whatever happens in between. */
import type { Opened } from './environment.ts';

export async function using<T, R>(
  opening: Promise<Opened<T>>,
  work: (host: T) => Promise<R>,
): Promise<R> {
  const opened = await opening;
  try {
    return await work(opened.host);
  } finally {
    await opened.close();
  }
}
