/** What must not happen to one thing at the same time is done one after the other, whoever asks for it. */
const last = new Map<string, Promise<unknown>>();

/** @param key of the thing, such as its folder */
export function takingTurns<T>(key: string, act: () => Promise<T>): Promise<T> {
  const mine = after(last.get(key), act).finally(() => {
    if (last.get(key) === mine) last.delete(key);
  });
  last.set(key, mine);
  return mine;
}

/** Whatever became of the one before. */
async function after<T>(before: Promise<unknown> | undefined, act: () => Promise<T>): Promise<T> {
  await before?.catch(() => undefined);
  return act();
}
