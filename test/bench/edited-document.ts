/** A Secondary that never runs, so that an edit costs what noticing it costs, and nothing else. */
export function editedDocument(change: number): string {
  return `apiVersion: unnest.dev/v1
kind: Secondary
metadata:
  name: vm
  annotations: { change: "${change}" }
spec:
  vcpus: 1
  memory: 128MiB
  boot: { kernel: { file: vmlinuz, initrd: initrd.img, commandLine: quiet } }
  runPolicy: Halted
`;
}
