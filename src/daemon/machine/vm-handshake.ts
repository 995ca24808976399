/** What a hypervisor answers to `CONNECT`: `OK`, a port, and the end of the line. Not a byte more is taken. */
export class HandshakeReader {
  #said = '';
  #state: 'reading' | 'connected' | 'refused' = 'reading';

  get state(): 'reading' | 'connected' | 'refused' {
    return this.#state;
  }

  /** So far; never more than the longest answer that is one. */
  get said(): string {
    return this.#said;
  }

  /** Of a line that is none yet and can still become one, nothing is known. */
  take(byte: number): void {
    if (this.#state !== 'reading') return;
    this.#said += String.fromCharCode(byte);
    if (whole.test(this.#said)) this.#state = 'connected';
    else if (!begun.test(this.#said)) this.#state = 'refused';
  }
}

/** A port has 32 bits. */
const whole = /^OK [0-9]{1,10}\n$/;
const begun = /^(?:O|OK|OK |OK [0-9]{1,10})$/;
