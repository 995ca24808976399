/** One document of each kind, as plain values, with every field set that can be set together. */
const labels = { app: 'shop' };
const annotations = { 'example.org/owner': 'somebody' };

export const validDocuments = [
  {
    apiVersion: 'unnest.dev/v1',
    kind: 'Secondary',
    metadata: { name: 'web', labels, annotations },
    spec: {
      replicas: 2,
      vcpus: 2,
      memory: '512MiB',
      boot: { kernel: { file: 'vmlinuz', initrd: 'initrd.img', commandLine: 'host=$(name)' } },
      disks: [],
      cloudInit: {
        userData: '#cloud-config\n',
        networkConfig: 'version: 2\n',
        hostname: '$(name).example.org',
        sshAuthorizedKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKL me'],
      },
      network: 'Partition',
      serialConsole: false,
      runPolicy: 'RerunOnFailure',
      updatePolicy: 'Restart',
      terminationGracePeriodSeconds: 5,
      protect: true,
      startAfter: ['db'],
    },
  },
  {
    apiVersion: 'unnest.dev/v1',
    kind: 'Partition',
    metadata: { name: 'team-a', labels, annotations },
    spec: {
      source: 'Directory',
      primary: {
        domain: 'team-a',
        reserved: { vcpus: 2, memory: '2GiB' },
        grants: ['vcpus', 'imageDisk'],
        imageDisk: { size: '20GiB' },
      },
      limits: {
        vcpus: 16,
        memory: '32GiB',
        storage: '1TiB',
        secondaries: 50,
        networkBandwidthPerSecond: '125MiB',
        diskBandwidthPerSecond: '200MiB',
        diskOperationsPerSecond: 5000,
      },
      guarantees: { cpuset: '4-7,12', memory: '8GiB' },
      network: {
        cidr: '10.20.0.0/24',
        mode: 'routed',
        uplink: 'eth0',
        egress: [{ cidr: '10.0.0.0/8' }, { cidr: '1.1.1.1/32', protocol: 'tcp', ports: [443] }],
      },
      policy: {
        images: ['debian'],
        imageHosts: [
          { host: 'images.example.org' },
          { host: 'mirror.example.org:8443', privateAddresses: true },
        ],
        devices: ['rng'],
        confidential: ['tdx'],
        features: [],
      },
    },
  },
  {
    apiVersion: 'unnest.dev/v1',
    kind: 'Volume',
    metadata: { name: 'data', labels, annotations },
    spec: { size: '10GiB', format: 'qcow2', image: 'debian', deletionPolicy: 'Delete' },
  },
  {
    apiVersion: 'unnest.dev/v1',
    kind: 'Image',
    metadata: { name: 'debian', labels, annotations },
    spec: {
      digest: `sha256:${'0a'.repeat(32)}`,
      format: 'qcow2',
      virtualSize: '2GiB',
      source: { file: 'debian.qcow2' },
    },
  },
] as const;
