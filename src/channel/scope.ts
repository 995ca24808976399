/**
 * What somebody who asks can speak of. Operators name a partition in each request. A Primary has one,
 * which its hypervisor says; no request of its has a place where another could be named (invariant 8).
 */
import * as z from 'zod';
import type { ImageName, PartitionName, SecondaryName } from '../model/names.ts';
import type { SubmissionSource } from '../report/submission.ts';
import { discreetJson } from './discreet.ts';
import { image, imageParams, partitionParams, secondary, secondaryParams } from './messages.ts';

export interface Scope {
  readonly kind: 'operator' | 'primary';
  /** Where the routes of a partition begin. */
  readonly at: string;
  readonly partitionParams: z.ZodType<{ readonly partition: PartitionName }>;
  readonly secondaryParams: z.ZodType<{
    readonly partition: PartitionName;
    readonly secondary: SecondaryName;
  }>;
  readonly imageParams: z.ZodType<{
    readonly partition: PartitionName;
    readonly image: ImageName;
  }>;
  /** Null: any. */
  readonly partition: PartitionName | null;
  /** As what a submission from there counts. */
  readonly source: SubmissionSource;
  /** What is answered there, as JSON. */
  readonly textOf: (value: unknown) => string;
}

export const operatorScope: Scope = {
  kind: 'operator',
  at: '/v1/partitions/:partition',
  partitionParams,
  secondaryParams,
  imageParams,
  partition: null,
  source: 'Apply',
  textOf: (value) => JSON.stringify(value),
};

export function primaryScope(partition: PartitionName): Scope {
  return {
    kind: 'primary',
    at: '/v1/partition',
    partitionParams: z.object({}).transform(() => ({ partition })),
    secondaryParams: z.object({ secondary }).transform((named) => ({ partition, ...named })),
    imageParams: z.object({ image }).transform((named) => ({ partition, ...named })),
    partition,
    source: 'Channel',
    textOf: (value) => discreetJson(value) ?? 'null',
  };
}
