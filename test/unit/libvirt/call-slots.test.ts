import { describe, expect, test } from 'vitest';
import { type Call, CallSlots } from '../../../src/libvirt/call-slots.ts';
import { MalformedError } from '../../../src/libvirt/wire/malformed.ts';
import type { PacketHeader } from '../../../src/libvirt/wire/packet.ts';

function setUp(inFlightMax = 2) {
  const sent: number[] = [];
  const log: string[] = [];
  const slots = new CallSlots(inFlightMax, (packet) => sent.push(packet[0] ?? -1));
  const add = (serial: number): Call => {
    const call: Call = {
      serial,
      packet: Buffer.from([serial]),
      answer: () => log.push(`${serial} answered`),
      fail: (error) => log.push(`${serial} ${error.message}`),
    };
    slots.add(call);
    return call;
  };
  const answer = (serial: number) => slots.answer(answerTo(serial), Buffer.alloc(0));
  return { slots, sent, log, add, answer };
}

function answerTo(serial: number): PacketHeader {
  return { program: 1, procedure: 1, kind: 'reply', serial, status: 'ok' };
}

const failure = (mayHaveRun: boolean) => new Error(mayHaveRun ? 'may have run' : 'has not run');

describe('CallSlots', () => {
  test('sends no more than its number at a time, the others in order', () => {
    const { sent, add, answer } = setUp();
    for (const serial of [1, 2, 3, 4]) add(serial);
    expect(sent).toEqual([1, 2]);
    answer(2);
    expect(sent).toEqual([1, 2, 3]);
    answer(1);
    expect(sent).toEqual([1, 2, 3, 4]);
  });

  test('knows no answer to a call that was never made, or was answered before', () => {
    const { add, answer } = setUp();
    add(1);
    expect([answer(9), answer(1), answer(1)]).toEqual([false, true, false]);
  });

  test('keeps the slot of a call given up on until its late answer, which is dropped', () => {
    const { slots, sent, log, add, answer } = setUp(1);
    const first = add(1);
    add(2);
    slots.abandon(first, failure);
    expect([sent, log]).toEqual([[1], ['1 may have run']]);
    expect(answer(1)).toBe(true);
    expect([sent, log]).toEqual([[1, 2], ['1 may have run']]);
  });

  test('takes a waiting call out of the queue, and says that it has not run', () => {
    const { slots, sent, log, add, answer } = setUp(1);
    add(1);
    const second = add(2);
    add(3);
    slots.abandon(second, failure);
    answer(1);
    expect([sent, log]).toEqual([
      [1, 3],
      ['2 has not run', '1 answered'],
    ]);
  });

  test('says when calls given up on hold every slot', () => {
    const { slots, add } = setUp(2);
    const [first, second, third] = [add(1), add(2), add(3)];
    expect(slots.abandon(first, failure)).toBe(true);
    expect(slots.abandon(second, failure)).toBe(true);
    expect(slots.abandon(third, failure)).toBe(false);
  });

  test('fails all that is left, in flight and waiting', () => {
    const { slots, log, add } = setUp(1);
    add(1);
    add(2);
    slots.failAll(failure);
    expect(log).toEqual(['1 may have run', '2 has not run']);
  });

  test('still has a call whose answer could not be read, so that it can be failed', () => {
    const { slots, log, add } = setUp(1);
    const call = add(1);
    call.answer = () => {
      throw new MalformedError('garbage');
    };
    expect(() => slots.answer(answerTo(1), Buffer.alloc(0))).toThrow(MalformedError);
    slots.failAll(failure);
    expect(log).toEqual(['1 may have run']);
  });
});
