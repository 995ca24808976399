/** Whatever goes wrong on the way to an answer has the one form of a problem. */
import type { Duplex } from 'node:stream';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { apiProblem, PROBLEM_TYPE, type Problem } from './problem.ts';

export function giveProblem(to: FastifyReply, given: Problem): FastifyReply {
  return to.status(given.status).type(PROBLEM_TYPE).send(given);
}

/** @param onBug of what the asker learns only as `Internal` */
export function refuseInProblems(app: FastifyInstance, onBug: (error: unknown) => void): void {
  app.setNotFoundHandler((request, to) =>
    giveProblem(to, apiProblem('NotFound', `there is no ${request.method} ${request.url}`)),
  );
  app.setErrorHandler((error: FastifyError, { routeOptions }, to) => {
    const known = problemOfError(error, routeOptions.bodyLimit);
    if (known === null) onBug(error);
    return giveProblem(to, known ?? apiProblem('Internal', 'a bug in unnestd; its log says more'));
  });
}

function problemOfError(
  { statusCode = 500, code, message }: FastifyError,
  bodyBytesMax: number | undefined,
): Problem | null {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return apiProblem('TooLarge', `a body of more than ${bodyBytesMax ?? 0} bytes`);
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return apiProblem('UnsupportedMediaType', 'the body has to be application/json');
  }
  return statusCode >= 400 && statusCode < 500 ? apiProblem('BadRequest', message) : null;
}

/** Of what is not HTTP, or has more of headers than may be. */
export function answerGarbage(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (socket.destroyed || error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const given = apiProblem('BadRequest', 'this is not a request in HTTP/1.1 of bounded size');
  const body = JSON.stringify(given);
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\nconnection: close`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
