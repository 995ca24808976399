import type { CallOptions } from './call-options.ts';
import type { Caller } from './caller.ts';
import type { Nwfilter } from './handles.ts';
import { nwfilterProcedures as procedures } from './procedures-nwfilter.ts';

/** Reading methods of `connection.nwfilters`. */
export function nwfilterReads({ call }: Pick<Caller, 'call'>) {
  return {
    list: (options?: CallOptions) => call(procedures.list, { wantsResults: 1, flags: 0 }, options),
    /** Which filter stands before which interface of the host. */
    listBindings: (options?: CallOptions) =>
      call(procedures.listBindings, { wantsResults: 1, flags: 0 }, options),
    lookupByName: (name: string, options?: CallOptions) =>
      call(procedures.lookupByName, name, options),
    lookupByUuid: (uuid: string, options?: CallOptions) =>
      call(procedures.lookupByUuid, uuid, options),
    xml: (nwfilter: Nwfilter, options?: CallOptions) =>
      call(procedures.xml, { nwfilter, flags: 0 }, options),
  };
}

/** Changing methods of `connection.nwfilters`. */
export function nwfilterWrites({ call }: Pick<Caller, 'call'>) {
  return {
    define: (
      xml: string,
      { validate = false, ...options }: CallOptions & { readonly validate?: boolean } = {},
    ) =>
      validate
        ? call(procedures.defineXmlFlags, { xml, flags: 1 }, options)
        : call(procedures.defineXml, xml, options),
    undefine: (nwfilter: Nwfilter, options?: CallOptions) =>
      call(procedures.undefine, { nwfilter }, options),
  };
}
