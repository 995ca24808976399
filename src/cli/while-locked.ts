/** Changes to a partition are made by one process at a time. */

export async function whileLocked<R>(
  locking: Promise<{ release(): Promise<void> }>,
  work: () => Promise<R>,
): Promise<R> {
  const lock = await locking;
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
