/** Why an Image could not be fetched. Each is a word that `unnest explain` knows. */
export type FetchFailureCode =
  | 'FetchFailed' // nobody answered, or the answer was none, broke off, or was not to be trusted
  | 'LengthDiffers' // there are more bytes, or fewer, than the document says
  | 'AddressNotAllowed' // the host's name leads to an address that may not be connected to
  | 'RedirectNotAllowed'; // it leads to where nothing may be fetched from
