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
        void parseJson(request, body.toString('utf8'), done);
      } else done(tooCostly());
    },
  );
}

function tooCostly(): Error {
  const { bodyValuesMax, bodyDepthMax } = channelLimits;
  const message = `the body has more than ${bodyValuesMax} values, or is nested deeper than ${bodyDepthMax}`;
  return Object.assign(new Error(message), { statusCode: 400 });
}
