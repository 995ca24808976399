/** The API's description: of what it is, valid, and true of what is really answered. */
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openApiFiles, openApiOf } from '../../../src/channel/openapi.ts';
import { operatorScope, primaryScope } from '../../../src/channel/scope.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { bodyOf } from '../../support/virtual-caller.ts';
import { secondaryReport, partitionStatus, teamA } from './fake-control.ts';
import { type PrimaryPlace, primaryPlace } from './primary-place.ts';

type Json = Readonly<Record<string, unknown>>;
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Json };
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: Json }>> }>
  >;
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Json;
}

const primary = openApiOf(primaryScope(teamA)) as unknown as Description;

test.each([...openApiFiles()])(
  'schemas/%s is current (npm run schemas), and valid',
  async (name, text) => {
    const path = new URL(`../../../schemas/${name}`, import.meta.url);
    expect(readFileSync(path, 'utf8')).toBe(text);
    const result = await new Validator().validate(text);
    expect(result).toMatchObject({ valid: true });
  },
);

test('a Primary has no place for a partition, in any path, query or body', () => {
  expect(JSON.stringify(Object.keys(primary.paths))).not.toContain('{partition}');
  for (const operations of Object.values(primary.paths)) {
    for (const { parameters = [], requestBody } of Object.values(operations)) {
      expect(parameters.map(({ name }) => name)).not.toContain('partition');
      expect(JSON.stringify(requestBody ?? {})).not.toMatch(/"partition"/);
    }
  }
  // Where there is one, it is found.
  expect(JSON.stringify(openApiOf(operatorScope)['paths'])).toContain('{partition}');
});

describe('what is really answered', () => {
  let place: PrimaryPlace;
  beforeEach(async () => {
    place = await primaryPlace();
    place.set(partitionStatus({ secondaries: [secondaryReport()] }));
  });
  afterEach(() => place.channel.close());

  /** As the description has it for this answer. */
  function mistakesIn(path: string, method: string, status: string, answer: unknown) {
    const { content } = primary.paths[path]?.[method]?.responses[status] ?? { content: {} };
    const [schema] = Object.values(content).map((each) => each.schema);
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const check = ajv.compile({ ...schema, components: primary.components });
    return check(answer) ? [] : check.errors;
  }

  const submission = { files: [{ path: 'a.yaml', text: '' }] };
  test.each([
    ['GET', '/v1/version', undefined],
    ['GET', '/v1/partition', undefined],
    ['GET', '/v1/partition/desired', undefined],
    ['GET', '/v1/partition/description', undefined],
    ['GET', '/v1/partition/history', undefined],
    ['GET', '/v1/partition/usage', undefined],
    ['PUT', '/v1/partition/desired', submission],
    ['POST', '/v1/partition/plan', submission],
    ['POST', '/v1/partition/rollback', { generation: 5 }],
    ['POST', '/v1/partition/retry', {}],
    ['POST', '/v1/partition/secondaries/{secondary}/start', {}],
    ['POST', '/v1/partition/secondaries/{secondary}/console/writer', { reader: '1-x' }],
    [
      'POST',
      '/v1/partition/secondaries/{secondary}/console/input',
      { reader: '1-x', data: 'bHM=' },
    ],
  ] as const)('%s %s is as it says', async (method, path, body) => {
    const caller = await place.call(101);
    const answer = await caller.ask(method, path.replace('{secondary}', 'web'), body);
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    expect(mistakesIn(path, method.toLowerCase(), '200', bodyOf(answer))).toEqual([]);
    // And it would notice: nothing that is asked for is answered with nothing.
    expect(mistakesIn(path, method.toLowerCase(), '200', {})).not.toEqual([]);
  });

  test('an event is as it says', async () => {
    place.say({
      kind: 'gave-up',
      partition: 'team-a' as PartitionName,
      attempts: 3,
      message: 'no',
    });
    const answer = await (await place.call(101)).ask('GET', '/v1/partition/events');
    const line = answer.split('\n').find((each) => each.startsWith('{"seq"')) ?? '';
    expect(mistakesIn('/v1/partition/events', 'get', '200', JSON.parse(line))).toEqual([]);
  });

  test('a refusal is a problem, as it says', async () => {
    const caller = await place.call(101);
    const answer = await caller.ask('POST', '/v1/partition/drain', { confirm: 'team-a' });
    expect(mistakesIn('/v1/partition/drain', 'post', 'default', bodyOf(answer))).toEqual([]);
    expect(mistakesIn('/v1/partition/drain', 'post', 'default', { error: 'no' })).not.toEqual([]);
  });

  test('there is no route that it does not describe', async () => {
    const caller = await place.call(101);
    for (const [path, operations] of Object.entries(primary.paths)) {
      for (const method of ['GET', 'PUT', 'POST']) {
        if (method.toLowerCase() in operations) continue;
        await place.runtime.advance(1000);
        const answer = await caller.ask(
          method,
          path.replace('{secondary}', 'web'),
          method === 'GET' ? undefined : {},
        );
        expect(answer).toMatch(/^HTTP\/1.1 404/);
      }
    }
  });
});
