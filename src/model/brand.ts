/** A string that has passed one particular check, so that it cannot be confused with any other string. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };
