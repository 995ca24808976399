/**
 * Connections to the host, kept for the next request: node:http's agent over whatever stream leads
 * there. They are few, since each is one that the host counts for this Primary.
 */
import { Agent, type AgentOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Transport } from '../client-transport.ts';

export type Dial = () => Promise<Duplex>;

/** Less than the host waits for the next request, so that none is sent into a connection that ends. */
const idleMs = 30_000;

class HostAgent extends Agent {
  readonly #dial: Dial;

  constructor(dial: Dial, options: AgentOptions) {
    super(options);
    this.#dial = dial;
  }

  /** As node:http calls it; its types know only the form without a callback. */
  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex {
    void this.#connect(callback ?? (() => undefined));
    // Border: what is not there yet comes by the callback.
    return undefined as unknown as Duplex;
  }

  async #connect(tell: (error: Error | null, stream: Duplex) => void): Promise<void> {
    let stream: Duplex;
    try {
      stream = await this.#dial();
    } catch (error) {
      // Border: of an error there is no stream.
      return tell(error as Error, undefined as unknown as Duplex);
    }
    tell(null, stream);
  }
}

/** @param name for messages @param connectionsMax at the same time; whoever comes then waits */
export function hostTransport(
  name: string,
  dial: Dial,
  connectionsMax: number,
): Transport & { readonly close: () => void } {
  const agent = new HostAgent(dial, {
    keepAlive: true,
    maxSockets: connectionsMax,
    timeout: idleMs,
  });
  return { name, options: { agent }, close: () => agent.destroy() };
}
