/** What a body may be: JSON, bounded in size and in what reading it costs, before it is read, or bytes. */
import type { FastifyInstance } from 'fastify';
import { isAffordable } from '../documents/json-cost.ts';
import { channelLimits } from './limits.ts';
import { BYTES_TYPE } from './messages.ts';

export function takeBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(BYTES_TYPE, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  const parseJson = app.getDefaultJsonParser('error', 'error');
  const { bodyValuesMax, bodyDepthMax } = channelLimits;
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      // An order without words comes with an empty body, whatever its type says.
      if (body.length === 0) done(null, null);
      else if (isAffordable(body, bodyValuesMax, bodyDepthMax)) {
        const text = textIn(body);
        if (text === null) done(notUtf8());
        else void parseJson(request, text, done);
      } else done(tooCostly());
    },
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Null: other bytes than UTF-8 has. Replacing them would accept what nobody has written. */
function textIn(body: Uint8Array): string | null {
  try {
    return utf8.decode(body);
  } catch {
    return null;
  }
}

function notUtf8(): Error {
  return Object.assign(new Error('the body is not UTF-8'), { statusCode: 400 });
}

function tooCostly(): Error {
  const { bodyValuesMax, bodyDepthMax } = channelLimits;
  const message = `the body has more than ${bodyValuesMax} values, or is nested deeper than ${bodyDepthMax}`;
  return Object.assign(new Error(message), { statusCode: 400 });
}
