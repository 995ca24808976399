/** A chain of the packet filter, as nftables has it. */
export interface FilterChain {
  readonly name: string;
  /** Where the kernel enters it, as `prerouting -310`; null: from other chains only. */
  readonly hook: string | null;
  readonly rules: readonly string[];
}

export function based(name: string, priority: number, rules: readonly string[]): FilterChain {
  return { name, hook: `${name} ${priority}`, rules };
}

export function inner(name: string, rules: readonly string[]): FilterChain {
  return { name, hook: null, rules };
}
