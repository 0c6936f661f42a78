import { describe, expect, it } from 'vitest';
import { hasOwnPolicy } from '../../testbed/node.ts';
import { network, nodes } from '../../testbed/paths.ts';

describe('the host’s packet filter', () => {
  it('is left alone where it lets all pass', () => {
    const open = '-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n';
    expect(hasOwnPolicy(open, 'INPUT')).toBe(false);
    expect(hasOwnPolicy(open, 'FORWARD')).toBe(false);
  });

  it('needs an opening where it drops by default, as with Docker', () => {
    const docker = '-P INPUT ACCEPT\n-P FORWARD DROP\n-N DOCKER\n';
    expect(hasOwnPolicy(docker, 'FORWARD')).toBe(true);
    expect(hasOwnPolicy(docker, 'INPUT')).toBe(false);
  });

  it('needs an opening where it holds rules, which may reject', () => {
    const rules =
      '-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\n';
    expect(hasOwnPolicy(rules, 'INPUT')).toBe(true);
    expect(hasOwnPolicy(rules, 'FORWARD')).toBe(false);
  });
});

it('nodes have addresses and pod ranges of their own, apart from the services', () => {
  const own = nodes.flatMap(({ address, gateway, pods, link, namespace }) => [
    address,
    gateway,
    pods,
    link,
    namespace,
  ]);
  expect(new Set([...own, network.host]).size).toBe(own.length + 1);
  for (const { pods } of nodes) {
    expect(pods.startsWith('10.202.')).toBe(true);
    expect(network.services.startsWith('10.202.')).toBe(false);
  }
});
