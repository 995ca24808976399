/**
 * What the host says of one thing. A failed read is `unknown`, never `absent`: from `unknown`
 * neither a create nor a delete may follow (invariant 3).
 */
export type Observation<T> =
  | { readonly status: 'present'; readonly value: T }
  | { readonly status: 'absent' }
  | { readonly status: 'unknown'; readonly why: string };

export const present = <T>(value: T): Observation<T> => ({ status: 'present', value });
export const absent: Observation<never> = { status: 'absent' };
export const unknown = (why: string): Observation<never> => ({ status: 'unknown', why });
