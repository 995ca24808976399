import { nwfilter, nwfilterBinding } from './handles.ts';
import { read, write } from './procedure.ts';
import { i32, string, u32 } from './wire/codec.ts';
import { countedArray, struct } from './wire/combinators.ts';
import { uuid } from './wire/uuid.ts';

/** Network filters. Numbers as in libvirt's remote protocol. */
const listArgs = struct({ wantsResults: i32, flags: u32 });

export const nwfilterProcedures = {
  lookupByName: read('nwfilter_lookup_by_name', 175, string, nwfilter),
  lookupByUuid: read('nwfilter_lookup_by_uuid', 176, uuid, nwfilter),
  xml: read('nwfilter_get_xml_desc', 177, struct({ nwfilter, flags: u32 }), string),
  undefine: write('nwfilter_undefine', 181, struct({ nwfilter })),
  list: read('connect_list_all_nwfilters', 286, listArgs, countedArray(nwfilter)),
  listBindings: read(
    'connect_list_all_nwfilter_bindings',
    401,
    listArgs,
    countedArray(nwfilterBinding),
  ),
  defineXml: write('nwfilter_define_xml', 180, string, nwfilter),
  defineXmlFlags: write(
    'nwfilter_define_xml_flags',
    431,
    struct({ xml: string, flags: u32 }),
    nwfilter,
  ),
};
