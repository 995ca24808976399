/**
 * HTTP/1.1 and JSON for all who ask at one place: operators on their socket, or one Primary on its
 * channel. Each place has bounds of its own, so that nobody waits for what another place asks.
 * fastify does not listen by itself: whoever accepts says who is there, and hands the stream over.
 */
import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Runtime } from '../daemon/runtime.ts';
import { type Answered, type LineSource, problem } from './answered.ts';
import { takeBodies } from './api-bodies.ts';
import { Streams } from './api-lines.ts';
import { answerGarbage, giveProblem, refuseInProblems } from './api-problems.ts';
import { asksForWork, looksAtAll, takesBytes, takesDocuments } from './route-kinds.ts';
import { addRoutes } from './api-routes.ts';
import { type Asker, Connections } from './connections.ts';
import type { Control } from './control.ts';
import { channelLimits, type PlaceLimits } from './limits.ts';
import { apiProblem, refusalProblem } from './problem.ts';
import { RequestRate } from './request-rate.ts';
import type { Scope } from './scope.ts';
import { SubmissionSlots } from './submission-slots.ts';

export interface ApiServerOptions {
  readonly control: Control;
  readonly runtime: Runtime;
  readonly scope: Scope;
  readonly limits: PlaceLimits;
  /** Of a bug, which the asker learns only as `Internal`. */
  readonly onBug: (error: unknown) => void;
}

export interface ApiServer {
  take(stream: Duplex, asker: Asker): void;
  /** Streams end, answers under way are given, nothing more is taken. */
  close(): Promise<void>;
}

export async function makeApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { control, runtime, scope, limits, onBug } = options;
  const { app, server } = makeApp();
  const { textOf } = scope;
  const rate = new RequestRate(limits.rate, runtime.clock);
  const connections = new Connections(server, runtime.timers, limits, rate);
  const { streamsMax: max, unreadInAllBytesMax } = limits;
  const keptUpBytesMax = unreadInAllBytesMax / max;
  const streams = new Streams({ connections, onBug, max, keptUpBytesMax, textOf });
  const slots = new SubmissionSlots(limits.submissionsMax);
  takeBodies(app);
  refuseInProblems(app, onBug);
  app.setReplySerializer((value) => textOf(value));
  const { clock } = runtime;
  const work = new RequestRate(limits.workRate, clock);
  const attaching = new RequestRate(channelLimits.attachRate, clock);
  const uploads = new SubmissionSlots(uploadsMax);
  boundRequests(app, { connections, slots, uploads, work, attaching });
  addRoutes({
    app,
    control,
    runtime,
    scope,
    submissionBytesMax: limits.bodyBytesMax,
    partyOf: ({ raw }) => connections.partyOf(raw),
    submitterOf: ({ raw }) => connections.submitterOf(raw),
    overOf: ({ raw }) => connections.exchangeOf(raw)?.over ?? AbortSignal.abort(),
    reply: (to, answered) => give(to, answered, connections, streams),
    inTime: (request, answering) => {
      for (const each of [slots, uploads]) each.holdUntil(request.raw, answering);
      return inTime(answering, runtime);
    },
  });
  await app.ready();
  return {
    take: (stream, asker) => connections.take(stream, asker),
    close: async () => {
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
    bodyLimit: channelLimits.orderBytesMax,
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

function give(
  to: FastifyReply,
  answered: Answered,
  connections: Connections,
  streams: Streams,
): unknown {
  switch (answered.kind) {
    case 'value':
      return connections.hasRoom ? to.send(answered.value) : giveProblem(to, tooMuchUnread);
    case 'problem':
      return giveProblem(to, answered.problem);
    case 'text':
      // As bytes: what is given as text is made JSON of.
      return connections.hasRoom
        ? to.type(answered.type).send(Buffer.from(answered.text))
        : giveProblem(to, tooMuchUnread);
    case 'lines':
      return giveLines(to, answered.source, connections, streams);
  }
}

const tooMuchUnread = refusalProblem('TooBusy', 'too much was asked for that nobody reads');
const tooManyStreams = refusalProblem('TooBusy', 'too many streams at the same time');

function giveLines(
  to: FastifyReply,
  source: LineSource,
  connections: Connections,
  streams: Streams,
): unknown {
  if (streams.isFull) return giveProblem(to, tooManyStreams);
  if (!connections.hasRoom) return giveProblem(to, tooMuchUnread);
  to.hijack();
  const exchange = connections.beginStream(to.request.raw);
  if (exchange !== null) streams.begin(to.raw, exchange, source);
  return undefined;
}

/** Bytes are written one after the other anyway. */
const uploadsMax = 1;

interface Bounds {
  readonly connections: Connections;
  readonly slots: SubmissionSlots;
  readonly uploads: SubmissionSlots;
  readonly work: RequestRate;
  readonly attaching: RequestRate;
}

const tooFast = 'more requests in a second than are answered';

/** The memory for bodies and answers is bounded before the first byte of one is read or made. */
function boundRequests(app: FastifyInstance, bounds: Bounds): void {
  const { connections } = bounds;
  app.addHook('onRequest', async (request, to) => {
    const exchange = connections.exchangeOf(request.raw);
    // What a connection has asked for that was ended for asking too much is not done either.
    if (exchange === null) return to.hijack();
    const bucket = bucketOf(request, bounds);
    const isLate = exchange.isTooFast || bucket?.take() === false;
    if (isLate) return giveProblem(to, apiProblem('TooManyRequests', tooFast));
    const slots = slotsOf(request, bounds);
    if (slots === null || slots.take(request.raw, exchange)) return;
    return giveProblem(to, refusalProblem('TooBusy', 'too many submissions at the same time'));
  });
  // Not async: between finding that there is room and taking it nobody else may come.
  app.addHook('onSend', ({ raw }, _to, payload, done) => {
    connections.exchangeOf(raw)?.awaitReader();
    done(null, payload);
  });
}

/** Null: it only looks at what is known. */
function bucketOf(
  { method, routeOptions }: FastifyRequest,
  { work, attaching }: Bounds,
): RequestRate | null {
  const { url = '' } = routeOptions;
  if (url.endsWith('/agent')) return attaching;
  // Asks for nothing, and must not fail for what others in the VM ask.
  if (url.endsWith('/agent/beat')) return null;
  return asksForWork(method, url) ? work : null;
}

/** Of those there are few: null where nothing much is read, judged or written. */
function slotsOf(
  { method, routeOptions: { url = '' } }: FastifyRequest,
  { slots, uploads }: Bounds,
): SubmissionSlots | null {
  if (method === 'GET') return null;
  if (takesBytes(url)) return uploads;
  // A whole bundle is read, judged and written for it, or all of the host is looked at.
  return takesDocuments(url) || looksAtAll(url) ? slots : null;
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
