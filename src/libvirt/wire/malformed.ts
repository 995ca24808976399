/**
 * What every decoder of this folder throws, and the only thing it throws, when bytes do not
 * follow the protocol. Whoever owns the socket turns it into the end of the connection: after
 * one bad packet nothing that follows can be trusted.
 */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}
