/** Why an Image is not fetched, and what to do about it. */
import type { FetchFailureCode } from '../../report/fetch-failure.ts';
import type { Explanations } from './explanation.ts';

export const fetchExplanations: Explanations<FetchFailureCode> = {
  FetchFailed: {
    means:
      'The host that is to have the Image could not be reached, its certificate is not trusted, or it answered something else than the Image, too slowly, or not to the end. What may mend itself is tried again after a wait that grows, from where it has stopped.',
    todo: 'Look at the reason that is named. A certificate of your own has to be in `fetch.caFile` of the configuration of unnestd. `unnest retry` tries again at once.',
  },
  LengthDiffers: {
    means:
      'There are more bytes at the URL, or fewer, than spec.source.url.bytes says, so that it cannot be what the digest is of. No more than that many were taken.',
    todo: 'Compare with `curl -sIL URL` (Content-Length). If the file is the right one, correct `bytes` and `digest` in the document.',
  },
  AddressNotAllowed: {
    means:
      'The name of the host leads to a private address, to one of a link, or to this host itself. Nothing was asked of it.',
    todo: 'If it is a mirror of yours, say `privateAddresses: true` beside it in `policy.imageHosts` of the Partition document. Addresses of a link (169.254.0.0/16) are never allowed. Then: `unnest retry`.',
  },
  RedirectNotAllowed: {
    means:
      'The host says that the Image is elsewhere, and that is no https, or not of a host that the partition may have Images from. It was not asked.',
    todo: 'Ask the operator to name that host too in `policy.imageHosts` (`curl -sI URL` shows it as Location), or name the place itself in the document.',
  },
};
