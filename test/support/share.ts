/** A partition with room for four small guests, and so much on its disks. */

import { nothingGuaranteed, type Share } from '../../src/model/share.ts';

export function shareWithStorage(storageBytes: number): Share {
  return {
    limits: {
      vcpus: 4,
      memoryBytes: 2 ** 32,
      storageBytes,
      secondaries: 4,
      diskBytesPerSecond: null,
      diskOperationsPerSecond: null,
    },
    guarantees: nothingGuaranteed,
    enforcement: 'Admission',
  };
}
