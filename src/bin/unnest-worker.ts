/**
 * The program that reads a tenant's documents, inside the sandbox of `daemon/machine/sandbox.ts`:
 * requests come on standard input, answers go to standard output. It has nothing to lose, so it
 * takes no care: whatever it is not made for ends it.
 */
import { answerTo } from '../daemon/worker/answer-to.ts';
import { FrameReader } from '../daemon/worker/frames.ts';
import { type ParseRequest, requestBytesMax } from '../daemon/worker/protocol.ts';

const reader = new FrameReader(requestBytesMax);

process.stdin.on('data', (chunk: Buffer) => {
  const frames = reader.take(chunk);
  if (frames === null) throw new Error('a request that is larger than any');
  for (const frame of frames) {
    // Only the daemon can write here.
    const request = JSON.parse(Buffer.from(frame).toString('utf8')) as ParseRequest;
    process.stdout.write(answerTo(request));
  }
});
