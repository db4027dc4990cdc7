/** Which addresses are not on the public Internet: this machine, its networks, what the registries keep for special use. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** IANA's special-purpose registries, RFC 6890 and its updates, and multicast. */
const PRIVATE_4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3'],
];
/** Only 2000::/3 is public at all; in it, what tunnels to IPv4 or is kept for documentation is not. */
const PRIVATE_6 = ['::/3', '4000::/2', '8000::/1', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Apart, for one list takes IPv4 addresses for IPv6 ones that hold them. */
const four = listOf(PRIVATE_4, 'ipv4');
const six = listOf(PRIVATE_6, 'ipv6');

function listOf(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    list.addSubnet(network, Number(bits), family);
  }
  return list;
}

/** @param address as `node:dns` and `node:net` write it; what is no address counts as private */
export function isPrivateAddress(address: string): boolean {
  if (isIPv4(address)) return four.check(address, 'ipv4');
  return !isIPv6(address) || address.includes('%') || six.check(address, 'ipv6');
}
