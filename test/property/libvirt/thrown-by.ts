/** What `run` throws, or undefined; for properties of the kind "works, or fails in this way". */
export function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** For `toSatisfy`: nothing thrown, or an error of this class. */
export function noneBut(type: abstract new (...args: never) => Error) {
  return (error: unknown) => error === undefined || error instanceof type;
}
