import { describe, expect, it } from 'vitest';
import { canonicalHost, parseHosts } from '../../../src/backends/sandbox/network-hosts.ts';
import { isPrivateAddress } from '../../../src/backends/sandbox/private-addresses.ts';

describe('a list of hosts', () => {
  it.each([
    ['a.test', 'a.test', 443],
    ['a.test', 'a.test', 80],
    ['a.test', 'a.test', 22],
    ['A.Test.', 'a.test', 443],
    ['a.test:5432', 'a.test', 5432],
    ['*.a.test', 'b.a.test', 443],
    ['*.a.test:8080', 'c.b.a.test', 8080],
    ['10.0.0.5:5432', '10.0.0.5', 5432],
    ['[fd00::1]:443', 'fd00::1', 443],
    ['FD00::0001', 'fd00::1', 443],
    ['bücher.test', 'xn--bcher-kva.test', 443],
    ['*', 'a.test', 443],
    ['*:8443', 'a.test', 8443],
  ])('with %s allows %s:%i', (entry, host, port) => {
    expect(parseHosts(['x.test', entry]).allows(host, port)).toBe(true);
  });

  it.each([
    ['a.test', 'b.a.test', 443],
    ['a.test', 'nota.test', 443],
    ['a.test', 'a.test', 8080],
    ['a.test:5432', 'a.test', 443],
    ['*.a.test', 'a.test', 443],
    ['*.a.test', 'nota.test', 443],
    ['*.a.test', 'a.test.evil.test', 443],
    ['a.test', 'a.test.evil.test', 443],
    ['*', '10.0.0.5', 443],
    ['10.0.0.5', '10.0.0.50', 443],
  ])('with %s does not allow %s:%i', (entry, host, port) => {
    expect(parseHosts([entry]).allows(host, port)).toBe(false);
  });

  it.each([
    '',
    'a b',
    'https://a.test',
    'a.test/path',
    'a.test:',
    'a.test:99999',
    'a.test:x',
    'user@a.test',
    '*.10.0.0.5',
    '*.',
    'a*.test',
    '10.0.0.0/8',
    '[fd00::1',
    '[x]:1',
  ])('cannot hold "%s", and says so', (entry) => {
    expect(() => parseHosts([entry])).toThrow(/execution\.security\.network_hosts/);
  });
});

it('a host has one spelling', () => {
  const spellings = ['127.0.0.1', '0x7f.1', '2130706433', '017700000001', '127.1', '0x7f000001', '１２７.0.0.1'];
  expect(new Set(spellings.map(canonicalHost))).toEqual(new Set(['127.0.0.1']));
  expect(['[::1]', '0:0::1'].map(canonicalHost)).toEqual(['::1', '::1']);
  expect(['', 'a/b', 'a:1', 'a?b', 'a b', 'a\\b', 'a@b', '%41', '1.2.3.4.5.6.7.999999'].map(canonicalHost)).toEqual(
    Array(9).fill(undefined),
  );
});

describe('an address', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fd00::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001::1',
    '2001:db8::1',
    'nonsense',
    '',
  ])('like %s is private', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '140.82.121.4',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700:4700::1111',
    '2a00:1450:4001::',
    '2620:fe::fe',
  ])('like %s is public', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});
