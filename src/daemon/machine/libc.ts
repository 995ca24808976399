/**
 * The few functions of the C library that Node does not offer. koffi is optional: it is loaded where
 * one of them is used, and nowhere else.
 */

export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, bytes: number): number;
  /** Waits on a thread of its own. @returns the error's number; 0: connected */
  connect(fd: number, address: Uint8Array, bytes: number): Promise<number>;
  sendto(
    fd: number,
    data: Uint8Array,
    dataBytes: number,
    flags: number,
    to: Uint8Array,
    toBytes: number,
  ): number;
  /** @throws Error */
  socketpair(family: number, type: number): readonly [number, number];
  getpeername(fd: number, address: Uint8Array, length: [number]): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: [number]): number;
  close(fd: number): number;
  /** Of the call before. */
  errno(): number;
  /** Of the call before, in words. */
  error(doing: string): Error;
  errorOf(errno: number, doing: string): Error;
}

/** @throws Error where koffi is not installed, or cannot be loaded on this machine */
export async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  // Null: what the process has loaded already, be its C library glibc or musl.
  const library = koffi.load(null);
  const connect = library.func('int connect(int fd, const uint8_t *address, uint32_t length)');
  const pair = library.func('int socketpair(int family, int type, int protocol, _Out_ int *fds)');
  const strerror = library.func('const char *strerror(int errnum)');
  const errorOf = (errno: number, doing: string) =>
    new Error(doing, { cause: new Error(String(strerror(errno))) });
  const error = (doing: string) => errorOf(koffi.errno(), doing);
  return {
    // Border: each is what its prototype says.
    socket: library.func('int socket(int family, int type, int protocol)') as Libc['socket'],
    bind: library.func('int bind(int fd, const uint8_t *address, uint32_t length)') as Libc['bind'],
    connect: (fd, address, bytes) =>
      new Promise((done, fail) => {
        connect.async(fd, address, bytes, (failure: Error | null, result: number) => {
          if (failure === null) done(result === 0 ? 0 : koffi.errno());
          else fail(failure);
        });
      }),
    sendto: library.func(
      'long sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *to, uint32_t toLength)',
    ) as Libc['sendto'],
    socketpair: (family, type) => {
      const fds = [-1, -1];
      if (pair(family, type, 0, fds) !== 0) throw error('making a pair of sockets');
      const [a = -1, b = -1] = fds;
      return [a, b];
    },
    getpeername: library.func(
      'int getpeername(int fd, _Out_ uint8_t *address, _Inout_ uint32_t *length)',
    ) as Libc['getpeername'],
    getsockopt: library.func(
      'int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)',
    ) as Libc['getsockopt'],
    close: library.func('int close(int fd)') as Libc['close'],
    errno: () => koffi.errno(),
    error,
    errorOf,
  };
}
