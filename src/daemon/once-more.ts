/** One at a time: what is asked for meanwhile, however often, is done once more after it. */
export function onceMore(act: () => Promise<void>): () => void {
  let isBusy = false;
  let isAsked = false;
  const go = async () => {
    isBusy = true;
    while (isAsked) {
      isAsked = false;
      // What is said would be out of date if this one ended after the next.
      // oxlint-disable-next-line no-await-in-loop
      await act();
    }
    isBusy = false;
  };
  return () => {
    isAsked = true;
    if (!isBusy) void go();
  };
}
