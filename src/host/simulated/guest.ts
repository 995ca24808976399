/**
 * What a simulated guest is like. It obeys the words on its kernel's command line that the guest of
 * the tests' guest kit obeys as well, so that the same document behaves the same on both hosts:
 *
 *   unnest.do=poweroff@SECONDS    shuts itself down so long after its start
 *   unnest.do=ignore-shutdown     does not react to the power button
 *   unnest.do=agent               has a guest agent, if it has a channel for one
 *   acpiphp.disable=1             lets go of no disk (a Linux guest needs pcie_ports=compat beside it)
 */
import type { DomainFields } from '../../model/domain.ts';

export interface Temper {
  /** How long after the power button it has stopped; null: it does not listen. */
  readonly stopsAfterMs: number | null;
  /** How long after its start it shuts itself down; null: it does not. */
  readonly endsAfterMs: number | null;
  /** How long its balloon needs; null: it has none that works. */
  readonly balloonMs: number | null;
  /** How long after it was asked it has let go of a disk; null: it does not hear. */
  readonly unplugsAfterMs: number | null;
  /** How long after its start its guest agent answers; null: it has none. */
  readonly agentAfterMs: number | null;
  /** How long after its agent was asked it has stopped; null: the agent hears, and does nothing. */
  readonly agentStopsAfterMs: number | null;
}

/** Long enough that nobody can take the call for the effect, short enough not to be waited for. */
const reactionMs = 20;

export const tame: Temper = {
  stopsAfterMs: reactionMs,
  endsAfterMs: null,
  balloonMs: reactionMs,
  unplugsAfterMs: reactionMs,
  agentAfterMs: null,
  agentStopsAfterMs: reactionMs,
};

export function temperOf({ commandLine }: DomainFields): Temper {
  const words = (commandLine ?? '').split(' ');
  const seconds = words
    .map((word) => /^unnest\.do=poweroff@([0-9]{1,6})$/.exec(word)?.[1])
    .find((found) => found !== undefined);
  return {
    ...tame,
    stopsAfterMs: words.includes('unnest.do=ignore-shutdown') ? null : tame.stopsAfterMs,
    unplugsAfterMs: words.includes('acpiphp.disable=1') ? null : tame.unplugsAfterMs,
    agentAfterMs: words.includes('unnest.do=agent') ? reactionMs : null,
    endsAfterMs: seconds === undefined ? null : Number(seconds) * 1000,
  };
}
