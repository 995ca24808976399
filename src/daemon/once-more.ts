/**
 * One at a time: what is asked for meanwhile, however often, is done once more after it.
 * @param act with a pause of its own at its end, where it is not to be done without one
 * @param onBug it has thrown
 */
export function onceMore(act: () => Promise<void>, onBug: (error: unknown) => void): () => void {
  let isBusy = false;
  let isAsked = false;
  const go = async () => {
    isBusy = true;
    try {
      while (isAsked) {
        isAsked = false;
        // What is said would be out of date if this one ended after the next.
        // oxlint-disable-next-line no-await-in-loop
        await act();
      }
    } catch (error) {
      onBug(error);
    } finally {
      isBusy = false;
    }
  };
  return () => {
    isAsked = true;
    if (!isBusy) void go();
  };
}
