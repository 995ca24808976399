/** One route: what it takes, which is checked before anybody looks at it, and what it answers. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Runtime } from '../daemon/runtime.ts';
import { type Answered, problem } from './answered.ts';
import { type Orders, ordersOf } from './api-orders.ts';
import type { Control } from './control.ts';
import { channelLimits } from './limits.ts';
import { apiProblem } from './problem.ts';
import { auditTo } from './api-audit.ts';
import { instantOf } from '../report/instant.ts';
import * as take from './messages.ts';
import { takesBytes, takesDocuments } from './route-kinds.ts';
import type { Scope } from './scope.ts';

export interface Serving {
  readonly app: Pick<FastifyInstance, 'route'>;
  readonly control: Control;
  readonly runtime: Runtime;
  readonly scope: Scope;
  readonly submissionBytesMax: number;
  readonly partyOf: (request: FastifyRequest) => string;
  readonly submitterOf: (request: FastifyRequest) => string;
  /** Fires when nobody waits for its answer any more. */
  readonly overOf: (request: FastifyRequest) => AbortSignal;
  readonly reply: (reply: FastifyReply, answered: Answered) => unknown;
  /** Bounds how long an order may take. */
  readonly inTime: (request: FastifyRequest, answering: Promise<Answered>) => Promise<Answered>;
}

export type Method = 'GET' | 'PUT' | 'POST';

interface Asked<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly orders: Orders;
}

/** What a route is for, and what it answers when it does it. */
export interface Says {
  readonly summary: string;
  readonly answer: z.ZodType;
  /** Whether it answers with one such value a line, for as long as somebody reads. */
  readonly isStream?: boolean;
  /** Of what is no JSON. */
  readonly type?: string;
}

/** What a route takes; what it does not name, it takes nothing of. */
export interface Schemas<P, Q, B> {
  readonly says: Says;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** Whether it is done once for each key that comes with it. */
  readonly takesKey?: true;
}

export interface RouteFacts extends Schemas<unknown, unknown, unknown> {
  readonly method: Method;
  readonly url: string;
}

/** Adds a route, whose handler gets checked values only. */
export function route<P = unknown, Q = unknown, B = unknown>(
  serving: Serving,
  method: Method,
  url: string,
  schemas: Schemas<P, Q, B>,
  answer: (asked: Asked<P, Q, B>) => Answered | Promise<Answered>,
): void {
  const { app, control, runtime, scope, submitterOf, partyOf, overOf, reply, inTime } = serving;
  app.route({
    method,
    url,
    // For whoever describes the API; fastify does nothing with it.
    config: { facts: { method, url, ...schemas } satisfies RouteFacts },
    bodyLimit: bodyBytesMax(url, serving),
    handler: async (request, to) => {
      const params = check('the address', schemas.params, request.params);
      const query = check('the query', schemas.query, request.query);
      const body = check('the body', schemas.body, request.body);
      const given = schemas.takesKey && request.headers[take.KEY_HEADER];
      const key = check(`the header ${take.KEY_HEADER}`, take.orderKey, given);
      const submitter = submitterOf(request);
      const answering = (): Promise<Answered> => {
        if (!params.ok || !query.ok || !body.ok || !key.ok) {
          return Promise.resolve(badRequest([params, query, body, key]));
        }
        const known = key.value === undefined ? null : { key: key.value, party: partyOf(request) };
        const by = { submitter, source: scope.source, key: known, over: () => overOf(request) };
        const orders = ordersOf(control, runtime, by);
        const asked = { params: params.value, query: query.value, body: body.value, orders };
        return inTime(request, Promise.resolve(answer(asked)));
      };
      const answered = await answering();
      // Without an address that is one, nobody knows whose book it belongs into.
      if (method !== 'GET' && params.ok) {
        const what = { method, url, params: params.value, answered, by: submitter };
        auditTo(control, what, scope, instantOf(runtime.clock.wall()));
      }
      return reply(to, answered);
    },
  });
}

function badRequest(checked: readonly Checked<unknown>[]): Answered {
  const wrong = checked.flatMap((each) => (each.ok ? [] : [each.detail]));
  return problem(apiProblem('BadRequest', wrong.join('; ')));
}

function bodyBytesMax(url: string, { submissionBytesMax }: Serving): number {
  if (takesBytes(url)) return channelLimits.uploadBytesMax;
  return takesDocuments(url) ? submissionBytesMax : channelLimits.orderBytesMax;
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
