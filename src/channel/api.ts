/**
 * The operator's API: HTTP/1.1 and JSON on a Unix socket, whose mode says who may connect. fastify
 * does not listen by itself: the runtime accepts, says who is there, and hands the stream over.
 */
import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Address, Listening, Runtime } from '../daemon/runtime.ts';
import { type Answered, problem } from './answered.ts';
import { Streams } from './api-lines.ts';
import { addRoutes } from './api-routes.ts';
import { Connections } from './connections.ts';
import type { Control } from './control.ts';
import { channelLimits } from './limits.ts';
import { apiProblem, PROBLEM_TYPE, type Problem, refusalProblem } from './problem.ts';

export interface ApiOptions {
  /** Never a loopback address: on one nobody can be told from another. */
  readonly address: Extract<Address, { readonly kind: 'unix' }>;
  /** Of a bug, which the asker learns only as `Internal`. */
  readonly onBug: (error: unknown) => void;
}

/** @returns how to close it: streams end, answers under way are given, nothing more is taken */
export async function openApi(
  control: Control,
  runtime: Runtime,
  { address, onBug }: ApiOptions,
): Promise<Listening> {
  const streams = new Streams(onBug);
  const { app, server } = makeApp();
  const connections = new Connections(server, runtime.timers);
  const reply = (to: FastifyReply, answered: Answered) => give(to, answered, streams);
  refuseInProblems(app, onBug);
  boundSubmissions(app);
  addRoutes({
    app,
    control,
    runtime,
    submitterOf: ({ raw }) => connections.submitterOf(raw),
    reply,
    inTime: (answering) => inTime(answering, runtime),
  });
  await app.ready();
  const listening = await runtime.sockets.listen(address, (stream, peer) =>
    connections.take(stream, peer),
  );
  return {
    close: async () => {
      await listening.close();
      streams.endAll();
      await connections.close();
      await app.close();
    },
  };
}

function makeApp(): { readonly app: FastifyInstance; readonly server: Server } {
  let server: Server | null = null;
  const app = fastify({
    logger: false,
    // A HEAD of a stream would have nothing to say, for ever.
    exposeHeadRoutes: false,
    bodyLimit: channelLimits.bodyBytesMax,
    // A name that is too long is refused as any other wrong one.
    routerOptions: { maxParamLength: channelLimits.headerBytesMax },
    serverFactory: (handler) => {
      const maxHeaderSize = channelLimits.headerBytesMax;
      // All times are kept by `Connections`.
      const none = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
      server = createServer({ maxHeaderSize, ...none }, handler);
      return server;
    },
    clientErrorHandler: answerGarbage,
  });
  if (server === null) throw new Error('fastify did not ask for its server');
  return { app, server };
}

function give(to: FastifyReply, answered: Answered, streams: Streams): unknown {
  switch (answered.kind) {
    case 'value':
      return to.send(answered.value);
    case 'problem':
      return giveProblem(to, answered.problem);
    case 'lines':
      to.hijack();
      streams.begin(to.raw, answered.source);
      return undefined;
  }
}

function giveProblem(to: FastifyReply, given: Problem): FastifyReply {
  return to.status(given.status).type(PROBLEM_TYPE).send(JSON.stringify(given));
}

/** Whatever goes wrong on the way has the one form of a problem. */
function refuseInProblems(app: FastifyInstance, onBug: (error: unknown) => void): void {
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  // An order without words comes with an empty body, whatever its type says.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, null);
    else void parseJson(request, body as string, done);
  });
  app.setNotFoundHandler((request, to) =>
    giveProblem(to, apiProblem('NotFound', `there is no ${request.method} ${request.url}`)),
  );
  app.setErrorHandler((error: FastifyError, _request, to) => {
    const known = problemOfError(error);
    if (known === null) onBug(error);
    return giveProblem(to, known ?? apiProblem('Internal', 'a bug in unnestd; its log says more'));
  });
}

function problemOfError({ statusCode = 500, code, message }: FastifyError): Problem | null {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return apiProblem('TooLarge', `a body of more than ${channelLimits.bodyBytesMax} bytes`);
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return apiProblem('UnsupportedMediaType', 'the body has to be application/json');
  }
  return statusCode >= 400 && statusCode < 500 ? apiProblem('BadRequest', message) : null;
}

/** The memory for bodies is bounded before the first byte of one is read. */
function boundSubmissions(app: FastifyInstance): void {
  const taken = new Set<unknown>();
  app.addHook('onRequest', async (request, to) => {
    if (request.method !== 'PUT') return;
    if (taken.size >= channelLimits.submissionsMax) {
      return giveProblem(to, refusalProblem('TooBusy', 'too many submissions at the same time'));
    }
    taken.add(request.raw);
    to.raw.once('close', () => taken.delete(request.raw));
  });
}

async function inTime(answering: Promise<Answered>, { timers }: Runtime): Promise<Answered> {
  const over = new AbortController();
  const late = timers.sleep(channelLimits.answerMs, over.signal).then((): Answered => {
    const detail = 'unnestd has not answered in time; it may still do what was asked';
    return problem(apiProblem('NoAnswer', detail));
  });
  try {
    return await Promise.race([answering, late]);
  } finally {
    over.abort();
  }
}

/** Of what is not HTTP, or has more of headers than may be. */
function answerGarbage(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (socket.destroyed || error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const given = apiProblem('BadRequest', 'this is not a request in HTTP/1.1 of bounded size');
  const body = JSON.stringify(given);
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\nconnection: close`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
