import { describeLinksContract } from '../../contract/links-contract.ts';
import { virtualLinks } from '../../support/virtual-links.ts';

describeLinksContract('a machine in memory', () => {
  const links = virtualLinks();
  return {
    links,
    come: (name, mac) => void links.come(name, mac),
    go: (name) => links.go(name),
    dispose: () => undefined,
  };
});
