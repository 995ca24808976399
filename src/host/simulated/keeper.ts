/** Where a simulated world is kept between two calls: in memory, or in a file (`world-file.ts`). */
import type { World } from './world.ts';

export interface Keeper {
  /** The world as it is. What the caller does to it is kept nowhere, or at best by chance. */
  read(): Promise<World>;
  /**
   * Hands the world to `act` while nobody else changes it, and keeps what `act` has made of it,
   * even if `act` throws: a call that is refused can leave a trace.
   */
  change<T>(act: (world: World) => T, signal: AbortSignal | null): Promise<T>;
}

export function keepInMemory(world: World): Keeper {
  return {
    read: async () => world,
    change: async (act) => act(world),
  };
}
