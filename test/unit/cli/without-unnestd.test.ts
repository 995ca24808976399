/** What is said where nobody tries ports of guests or hears their heartbeats. */
import { expect, test } from 'vitest';
import { diskDocument, simulatedPlace } from './simulated.ts';

test('a guest that only unnestd can find ready runs, and what starts after it is blocked', async ({
  onTestFinished,
}) => {
  const place = simulatedPlace();
  onTestFinished(() => place.dispose());
  place.write(
    diskDocument('db', ['readiness: Heartbeat']),
    diskDocument('app', ['startAfter: [db]']),
  );
  const apply = await place.unnest(['apply', '-f', place.documents, '--yes']);
  const why =
    'StartAfterUnmet: it starts after db, which only unnestd can find ready (Heartbeat), and this is done without it';
  expect(apply.stdout).toContain(why);
  const { stdout } = await place.unnest(['get']);
  expect(stdout).toMatch(
    /^db +Running .*not known to be ready \(Heartbeat\): only unnestd finds out$/m,
  );
  expect(stdout).not.toMatch(/^app/m);
  expect((await place.unnest(['explain', 'StartAfterUnmet'])).stdout).toContain('Heartbeat');
});
