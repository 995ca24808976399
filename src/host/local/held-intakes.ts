/**
 * Intakes whose bytes are being looked into, or were seen to be good, so that others are given up for them: nothing begins
 * anew in their place before they are used. It is this process that takes bytes in, and after its end they are looked into
 * again before anything is given up for them: so nobody else has to know.
 */
const held = new Set<string>();

/** @param folder of the intake */
export function holdIntake(folder: string): void {
  held.add(folder);
}

export function letGoOfIntake(folder: string): void {
  held.delete(folder);
}

export function isIntakeHeld(folder: string): boolean {
  return held.has(folder);
}
