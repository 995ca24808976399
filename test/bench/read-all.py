"""What a script with libvirt's own binding does to see all domains: list, XML and info of each."""

import libvirt

connection = libvirt.openReadOnly("qemu:///system")
read = [
    (domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), domain.info())
    for domain in connection.listAllDomains()
]
print(len(read))
