/**
 * The texts that are installed: systemd's unit, the group, and a configuration that says nothing but
 * what could be said. The unit takes away what the daemon does not need; what is not taken, and why:
 * `ProtectKernelTunables` and its like cover parts of /proc, over which no sandbox of a worker can
 * mount its own; `PrivateNetwork` and `RestrictNamespaces` would cut off the lock that the command
 * line shares and those sandboxes; `MemoryDenyWriteExecute` ends V8; system call filters are not
 * there because none was tried on a machine with KVM yet.
 */
import { join } from 'node:path';
import { HostError } from '../host-error.ts';

export interface Programs {
  readonly node: string;
  readonly program: string;
}

export function unitText({ node, program }: Programs): string {
  return `[Unit]
Description=unnest: makes the VMs real that partitions ask for
Documentation=man:unnest(1)
# Whichever libvirt there is. The daemon also starts without one, and waits for it.
After=network.target libvirtd.service libvirtd.socket virtqemud.service virtqemud.socket
# Where all slices are, so that it is there to be written to.
Wants=unnest.slice
After=unnest.slice
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=${unitWord(node)} ${unitWord(program)}
WatchdogSec=60
Restart=on-failure
RestartSec=2
# A configuration that is not valid (4) and a wrong command line (64) do not mend themselves.
RestartPreventExitStatus=4 64
# Workers are the first to go when memory runs short, and that is no reason to end the daemon.
OOMPolicy=continue
# Only the daemon is told to stop, so that what it has under way can finish.
KillMode=mixed
TimeoutStopSec=90

# Files and sockets belong to the operators' group.
Group=unnest
StateDirectory=unnest
StateDirectoryMode=0711
RuntimeDirectory=unnest
# Sockets and status files guard themselves.
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=restart

# Another stateDir than /var/lib/unnest needs a ReadWritePaths= in a drop-in.
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
NoNewPrivileges=yes
ProtectControlGroups=yes
# Which CPUs one partition has for itself the kernel is told in files that systemd has no word for.
ReadWritePaths=-/sys/fs/cgroup/unnest.slice
# LVM's locks, and what it writes down of each change (spec.store.thinPool).
ReadWritePaths=-/run/lock/lvm -/run/lvm -/etc/lvm/archive -/etc/lvm/backup
ProtectKernelModules=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
# It tries ports of guests (readiness: TcpPort), and connects to where Images may be fetched from.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_VSOCK
# Files of others (disks), sockets for a group, sandboxes with another user for the workers, and a
# port for Primaries that no other program can have.
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_SETGID CAP_SETUID
CapabilityBoundingSet=CAP_SETPCAP CAP_SYS_ADMIN CAP_SYS_RESOURCE CAP_NET_ADMIN CAP_NET_BIND_SERVICE

[Install]
WantedBy=multi-user.target
`;
}

/** systemd-sysusers makes it at once, or at an image's first boot. */
export function sysusersText(): string {
  return `# Whose members may use the operators' socket of unnestd.
g unnest -
`;
}

/** Editors find the schema where the package has it, beside its programs. */
export function configText({ program }: Programs): string {
  return `# yaml-language-server: $schema=${join(program, '../../../schemas/DaemonConfig.json')}
# Everything has a default; what is here is only what may be said. systemctl restart unnestd
apiVersion: unnest.dev/v1
kind: DaemonConfig
spec: {}
#  partitionsDir: /etc/unnest/partitions
#  desiredStateDir: /etc/unnest/desired
# New Volumes into a thin pool of LVM's, in the place of files.
#  store: { thinPool: { group: vg0, pool: thin } }
#  metrics: { listen: loopback, port: 9464 }
#  logLevel: info
# Certificates in PEM that are trusted besides those of Node.js when Images are fetched (policy.imageHosts).
#  fetch: { caFile: /etc/unnest/mirror-ca.pem }
# What the partitions' limits may come to, all together: (what the host has - hostReserved) * overcommit.
#  hostReserved: { vcpus: 0, memory: 1GiB }
#  overcommit: { vcpus: 1, memory: 1 }
`;
}

/** A word of a command line in a unit, which expands % and, but for quotes, ends at blanks. */
function unitWord(path: string): string {
  // oxlint-disable-next-line no-control-regex -- no such character is ever meant
  if (!/^\/[^\u0000-\u001f\u007f"'\\$]*$/.test(path)) {
    throw new HostError(
      'Unsupported',
      `${JSON.stringify(path)} cannot be named in a unit of systemd`,
    );
  }
  const word = path.replaceAll('%', '%%');
  return /\s/.test(word) ? `"${word}"` : word;
}
