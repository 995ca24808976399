/**
 * Which address leads to what. Each route names the schemas of what it takes, so that a handler gets
 * checked values only.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Runtime } from '../daemon/runtime.ts';
import type { PartitionName } from '../model/names.ts';
import { type Answered, problem } from './answered.ts';
import { type Orders, ordersOf } from './api-orders.ts';
import {
  readDescription,
  readDesired,
  readEvents,
  readHistory,
  readPartitions,
  readStatus,
  readVersion,
} from './api-reads.ts';
import { beAgent } from './api-agent.ts';
import type { Control, PowerAction } from './control.ts';
import { channelLimits } from './limits.ts';
import * as take from './messages.ts';
import { apiProblem } from './problem.ts';
import type { Scope } from './scope.ts';

export interface Serving {
  readonly app: FastifyInstance;
  readonly control: Control;
  readonly runtime: Runtime;
  readonly scope: Scope;
  readonly submissionBytesMax: number;
  readonly submitterOf: (request: FastifyRequest) => string;
  readonly reply: (reply: FastifyReply, answered: Answered) => unknown;
  /** Bounds how long an order may take. */
  readonly inTime: (request: FastifyRequest, answering: Promise<Answered>) => Promise<Answered>;
}

type Method = 'GET' | 'PUT' | 'POST';

interface Asked<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly orders: Orders;
}

/** What a route takes; what it does not name, it takes nothing of. */
interface Schemas<P, Q, B> {
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
}

export function addRoutes(serving: Serving): void {
  const { control, scope, runtime } = serving;
  const { timers } = runtime;
  const { at, partitionParams: params } = scope;
  route(serving, 'GET', '/v1/version', {}, () => readVersion(control, scope));
  addReads(serving);
  addOrders(serving);
  switch (scope.kind) {
    case 'operator':
      route(serving, 'GET', '/v1/partitions', {}, () => readPartitions(control));
      route(serving, 'GET', '/v1/events', { query: take.eventsQuery }, ({ query }) =>
        readEvents(control, query, scope),
      );
      return addOperatorsOrders(serving);
    case 'primary':
      route(serving, 'GET', `${at}/events`, { params, query: take.ownEventsQuery }, (asked) =>
        readEvents(control, { ...asked.query, ...asked.params }, scope),
      );
      route(serving, 'GET', `${at}/agent`, { params }, (asked) =>
        beAgent({ control, timers }, asked.params.partition, asked.orders.by.submitter),
      );
      return refuseOperatorsOrders(serving);
  }
}

function addReads(serving: Serving): void {
  const { control, scope } = serving;
  const { at, partitionParams: params } = scope;
  route(serving, 'GET', at, { params }, (asked) =>
    readStatus(control, asked.params.partition, false),
  );
  route(serving, 'GET', `${at}/status`, { params, query: take.statusQuery }, (asked) =>
    readStatus(control, asked.params.partition, asked.query.watch ?? false),
  );
  route(serving, 'GET', `${at}/desired`, { params }, (asked) =>
    readDesired(control, asked.params.partition),
  );
  route(serving, 'GET', `${at}/description`, { params }, (asked) =>
    readDescription(control, asked.params.partition),
  );
  route(serving, 'GET', `${at}/history`, { params }, (asked) =>
    readHistory(control, asked.params.partition),
  );
}

/** Adds a route that asks for something of a partition. */
function order<B>(
  serving: Serving,
  [method, path]: readonly [method: Method, path: string],
  body: z.ZodType<B>,
  give: (orders: Orders, name: PartitionName, body: B) => Promise<Answered>,
): void {
  const { at, partitionParams: params } = serving.scope;
  route(serving, method, `${at}/${path}`, { params, body }, (asked) =>
    give(asked.orders, asked.params.partition, asked.body),
  );
}

function addOrders(serving: Serving): void {
  const { at, secondaryParams } = serving.scope;
  order(serving, ['PUT', 'desired'], take.submissionSchema, (to, name, body) =>
    to.submit(name, body),
  );
  order(serving, ['POST', 'plan'], take.planSchema, (to, name, body) => to.plan(name, body));
  order(serving, ['POST', 'rollback'], take.rollbackSchema, (to, name, body) =>
    to.rollback(name, body),
  );
  order(serving, ['POST', 'retry'], take.nothingSchema, (to, name) => to.retry(name));
  for (const action of ['start', 'stop', 'restart'] satisfies PowerAction[]) {
    const schemas = { params: secondaryParams, body: take.nothingSchema };
    route(serving, 'POST', `${at}/secondaries/:secondary/${action}`, schemas, (asked) =>
      asked.orders.power(asked.params.partition, asked.params.secondary, action),
    );
  }
}

/** What an operator has paused or empties a tenant does not take back. */
function addOperatorsOrders(serving: Serving): void {
  order(serving, ['POST', 'pause'], take.pauseSchema, (to, name, body) => to.pause(name, body));
  order(serving, ['POST', 'resume'], take.resumeSchema, (to, name, body) => to.resume(name, body));
  order(serving, ['POST', 'drain'], take.drainSchema, (to, name, body) => to.drain(name, body));
}

function refuseOperatorsOrders({ app, scope, reply }: Serving): void {
  for (const path of ['pause', 'resume', 'drain']) {
    const detail = `only the host's operators may ${path} a partition`;
    app.post(`${scope.at}/${path}`, (_, to) =>
      reply(to, problem(apiProblem('OperatorsOnly', detail))),
    );
  }
}

function route<P = unknown, Q = unknown, B = unknown>(
  serving: Serving,
  method: Method,
  url: string,
  schemas: Schemas<P, Q, B>,
  answer: (asked: Asked<P, Q, B>) => Answered | Promise<Answered>,
): void {
  const { app, control, runtime, scope, submitterOf, reply, inTime } = serving;
  app.route({
    method,
    url,
    // Only documents take more room.
    bodyLimit: takesDocuments(url) ? serving.submissionBytesMax : channelLimits.orderBytesMax,
    handler: async (request, to) => {
      const params = check('the address', schemas.params, request.params);
      const query = check('the query', schemas.query, request.query);
      const body = check('the body', schemas.body, request.body);
      const wrong = [params, query, body].flatMap((each) => (each.ok ? [] : [each.detail]));
      if (!params.ok || !query.ok || !body.ok) {
        return reply(to, problem(apiProblem('BadRequest', wrong.join('; '))));
      }
      const orders = ordersOf(control, runtime, {
        submitter: submitterOf(request),
        source: scope.source,
      });
      const asked = { params: params.value, query: query.value, body: body.value, orders };
      return reply(to, await inTime(request, Promise.resolve(answer(asked))));
    },
  });
}

/** Those that bring a bundle: a mebibyte and more of memory, and a worker. */
export function takesDocuments(url: string): boolean {
  return url.endsWith('/desired') || url.endsWith('/plan');
}

type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly detail: string };

/** Fields that nobody asked for are refused too: somebody meant something by them. */
function check<T>(what: string, schema: z.ZodType<T> | undefined, given: unknown): Checked<T> {
  const checked = (schema ?? nothing).safeParse(given);
  // Whoever names no schema gets nothing to look at.
  if (checked.success) return { ok: true, value: checked.data as T };
  return { ok: false, detail: `${what}: ${wordsOf(checked.error)}` };
}

const nothing = z.strictObject({}).nullish();

const issuesMax = 5;

function wordsOf({ issues }: z.ZodError): string {
  return issues
    .slice(0, issuesMax)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join(', ');
}
