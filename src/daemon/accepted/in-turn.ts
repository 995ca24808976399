/** What would be lost if two did it at once is done one after the other, in order of asking. */
export type InTurn = <T>(act: () => Promise<T>) => Promise<T>;

export function inTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(act: () => Promise<T>): Promise<T> => {
    const mine = last.then(act);
    // Whoever asked hears of a failure; the next one has nothing to do with it.
    last = mine.catch(() => undefined);
    return mine;
  };
}
