import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/audit/audit-log.ts';
import { recordRefusedHosts } from '../../src/guard/refused-hosts.ts';

function recorder() {
  const records: AuditEntry[] = [];
  const refuse = recordRefusedHosts({
    record: async (entry) => void records.push(entry),
    [Symbol.asyncDispose]: async () => {},
  });
  return {
    records,
    refuse: (host: string, port = 443) => refuse({ host, port, reason: `Commands may not reach ${host}:${port}.` }),
  };
}

describe('a host that a command may not reach', () => {
  it('is in the audit log', () => {
    const { records, refuse } = recorder();
    refuse('evil.test');
    expect(records).toEqual([{ event: 'access', what: 'refused', reason: 'Commands may not reach evil.test:443.' }]);
  });

  it('is told of once however often it is tried, and each port by itself', () => {
    const { records, refuse } = recorder();
    for (let time = 0; time < 50; time++) refuse('evil.test');
    refuse('evil.test', 80);
    refuse('worse.test');
    expect(records).toHaveLength(3);
  });

  it('is refused also when it cannot be recorded', () => {
    const refuse = recordRefusedHosts({
      record: () => Promise.reject(new Error('The disk is full.')),
      [Symbol.asyncDispose]: async () => {},
    });
    expect(() => refuse({ host: 'evil.test', port: 443, reason: 'No.' })).not.toThrow();
  });
});
