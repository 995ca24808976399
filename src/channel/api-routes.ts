/** Which address leads to what. `schemas/openapi.*.json` is made of this table. */
import type * as z from 'zod';
import type { PartitionName } from '../model/names.ts';
import { type Answered, problem } from './answered.ts';
import type { Orders } from './api-orders.ts';
import {
  readAudit,
  readConsole,
  readConsoleLog,
  readDescription,
  readDesired,
  readEvents,
  readHistory,
  readImage,
  readMetrics,
  readPartitions,
  readStatus,
  readUsage,
  readVersion,
} from './api-reads.ts';
import { AgentStays } from './api-agent.ts';
import { type Method, route, type Says, type Serving } from './api-route.ts';
import * as says from './api-says.ts';
import type { PowerAction } from './control.ts';
import * as take from './messages.ts';
import { apiProblem } from './problem.ts';
import { inputPath } from './typing.ts';

export function addRoutes(serving: Serving): void {
  const { control, scope } = serving;
  const { at, partitionParams: params } = scope;
  route(serving, 'GET', '/v1/version', { says: says.version }, () => readVersion(control, scope));
  addReads(serving);
  addOrders(serving);
  switch (scope.kind) {
    case 'operator':
      route(serving, 'GET', '/v1/partitions', { says: says.partitions }, () =>
        readPartitions(control),
      );
      route(
        serving,
        'GET',
        '/v1/events',
        { query: take.eventsQuery, says: says.events },
        ({ query }) => readEvents(control, query, scope),
      );
      route(
        serving,
        'GET',
        '/v1/audit',
        { query: take.auditQuery, says: says.audit },
        ({ query }) => readAudit(control, query),
      );
      return addOperatorsOrders(serving);
    case 'primary':
      route(
        serving,
        'GET',
        `${at}/events`,
        { params, query: take.ownEventsQuery, says: says.events },
        (asked) => readEvents(control, { ...asked.query, ...asked.params }, scope),
      );
      addAgent(serving);
      return refuseOperatorsOrders(serving);
  }
}

function addAgent(serving: Serving): void {
  const { control, runtime, scope } = serving;
  const stays = new AgentStays(control, runtime.timers);
  const { at, partitionParams: params } = scope;
  route(serving, 'GET', `${at}/agent`, { params, says: says.agent }, (asked) =>
    stays.begin(asked.params.partition, asked.orders.by.submitter),
  );
  order(serving, ['POST', 'agent/beat', says.beat], take.nothingSchema, async () =>
    stays.answered(),
  );
}

function addReads(serving: Serving): void {
  const { control, scope } = serving;
  const { at, partitionParams: params, secondaryParams, imageParams } = scope;
  const console = { params: secondaryParams, says: says.console };
  route(serving, 'GET', `${at}/secondaries/:secondary/console`, console, (asked) =>
    readConsole(control, asked.params.partition, asked.params.secondary),
  );
  const log = { params: secondaryParams, query: take.consoleLogQuery, says: says.consoleLog };
  route(serving, 'GET', `${at}/secondaries/:secondary/log`, log, ({ params: of, query }) =>
    readConsoleLog(control, of.partition, of.secondary, query),
  );
  route(serving, 'GET', at, { params, says: says.status }, (asked) =>
    readStatus(control, asked.params.partition, false),
  );
  route(
    serving,
    'GET',
    `${at}/status`,
    { params, query: take.statusQuery, says: says.watchedStatus },
    (asked) => readStatus(control, asked.params.partition, asked.query.watch ?? false),
  );
  route(serving, 'GET', `${at}/images/:image`, { params: imageParams, says: says.image }, (asked) =>
    readImage(control, asked.params.partition, asked.params.image),
  );
  route(serving, 'GET', `${at}/desired`, { params, says: says.desired }, (asked) =>
    readDesired(control, asked.params.partition),
  );
  route(serving, 'GET', `${at}/description`, { params, says: says.description }, (asked) =>
    readDescription(control, asked.params.partition),
  );
  route(
    serving,
    'GET',
    `${at}/usage`,
    { params, query: take.usageQuery, says: says.usage },
    (asked) => readUsage(control, asked.params.partition, asked.query.secondaries ?? false),
  );
  route(serving, 'GET', `${at}/metrics`, { params, says: says.metrics }, (asked) =>
    readMetrics(control, asked.params.partition),
  );
  route(serving, 'GET', `${at}/history`, { params, says: says.history }, (asked) =>
    readHistory(control, asked.params.partition),
  );
}

/** Adds a route that asks for something of a partition. */
function order<B>(
  serving: Serving,
  [method, path, what]: readonly [method: Method, path: string, what: Says],
  body: z.ZodType<B>,
  give: (orders: Orders, name: PartitionName, body: B) => Promise<Answered>,
): void {
  const { at, partitionParams: params } = serving.scope;
  route(serving, method, `${at}/${path}`, { params, body, says: what }, (asked) =>
    give(asked.orders, asked.params.partition, asked.body),
  );
}

function addOrders(serving: Serving): void {
  const { at, secondaryParams, imageParams } = serving.scope;
  order(serving, ['PUT', 'desired', says.submission], take.submissionSchema, (to, name, body) =>
    to.submit(name, body),
  );
  order(serving, ['POST', 'plan', says.plan], take.planSchema, (to, name, body) =>
    to.plan(name, body),
  );
  order(serving, ['POST', 'rollback', says.rollback], take.rollbackSchema, (to, name, body) =>
    to.rollback(name, body),
  );
  order(serving, ['POST', 'retry', says.retry], take.nothingSchema, (to, name) => to.retry(name));
  const bytes = { params: imageParams, query: take.uploadQuery, body: take.bytesSchema };
  route(
    serving,
    'PUT',
    `${at}/images/:image/bytes`,
    { ...bytes, says: says.upload },
    ({ params, query, body, orders }) =>
      orders.upload(params.partition, params.image, query.at, body),
  );
  const written = { params: imageParams, body: take.nothingSchema, says: says.imageWritten };
  route(serving, 'POST', `${at}/images/:image/written`, written, ({ params, orders }) =>
    orders.imageWritten(params.partition, params.image),
  );
  for (const action of ['start', 'stop', 'restart'] satisfies PowerAction[]) {
    const schemas = {
      params: secondaryParams,
      body: take.nothingSchema,
      says: says.power(action),
      takesKey: true,
    } as const;
    route(serving, 'POST', `${at}/secondaries/:secondary/${action}`, schemas, (asked) =>
      asked.orders.power(asked.params.partition, asked.params.secondary, action),
    );
  }
  const claim = { params: secondaryParams, body: take.consoleClaimSchema, says: says.consoleClaim };
  route(serving, 'POST', `${at}/secondaries/:secondary/console/writer`, claim, (asked) =>
    asked.orders.claimConsole(asked.params.partition, asked.params.secondary, asked.body),
  );
  const input = { params: secondaryParams, body: take.consoleInputSchema, says: says.consoleInput };
  route(serving, 'POST', `${at}/secondaries/:secondary${inputPath}`, input, (asked) =>
    asked.orders.type(asked.params.partition, asked.params.secondary, asked.body),
  );
}

/** What an operator has paused or empties a tenant does not take back. */
function addOperatorsOrders(serving: Serving): void {
  order(serving, ['POST', 'pause', says.pause], take.pauseSchema, (to, name, body) =>
    to.pause(name, body),
  );
  order(serving, ['POST', 'resume', says.resume], take.resumeSchema, (to, name, body) =>
    to.resume(name, body),
  );
  order(serving, ['POST', 'drain', says.drain], take.drainSchema, (to, name, body) =>
    to.drain(name, body),
  );
}

function refuseOperatorsOrders(serving: Serving): void {
  for (const path of ['pause', 'resume', 'drain']) {
    const detail = `only the host's operators may ${path} a partition`;
    const refusal = problem(apiProblem('OperatorsOnly', detail));
    order(serving, ['POST', path, says.operatorsOnly], take.anything, async () => refusal);
  }
}
