import { describe, expect, it } from 'vitest';
import { createFailedAttempts } from '../../src/identity/failed-attempts.ts';
import { createRequestWindow } from '../../src/identity/request-window.ts';

const SECOND = 1000;

describe('requests of a minute', () => {
  it('pass up to the limit, and then when the oldest are a minute old', () => {
    const window = createRequestWindow();
    for (let count = 0; count < 3; count++) expect(window.take(3, 5 * SECOND)).toBe(0);
    expect(window.take(3, 5 * SECOND)).toBe(60);
    expect(window.take(3, 35 * SECOND)).toBe(30);
    expect(window.take(3, 64.9 * SECOND)).toBe(1);
    expect(window.take(3, 65 * SECOND)).toBe(0);
  });

  it('are never more than the limit in any 60 seconds, however they come', () => {
    const window = createRequestWindow();
    const passed: number[] = [];
    for (let ms = 0; ms < 300 * SECOND; ms += 1 + ((ms * 7919) % 900)) if (window.take(40, ms) === 0) passed.push(ms);
    for (const [index, start] of passed.entries()) {
      expect(passed.slice(index).filter((ms) => ms - start < 59 * SECOND).length).toBeLessThanOrEqual(40);
    }
    expect(passed.length).toBeGreaterThanOrEqual(40 * 4);
  });

  it('are forgotten after a long silence', () => {
    const window = createRequestWindow();
    expect(window.take(1, 0)).toBe(0);
    expect(window.take(1, 3600 * SECOND)).toBe(0);
    expect(window.take(1, 3600 * SECOND)).toBe(60);
  });

  it('do not run over at the waits that were told', () => {
    const window = createRequestWindow();
    let now = 0;
    for (let turn = 0; turn < 500; turn++) {
      const wait = window.take(7, now);
      if (wait > 0) {
        now += wait * SECOND;
        expect(window.take(7, now)).toBe(0);
      }
      now += (turn * 733) % 4000;
    }
  });
});

describe('failed attempts', () => {
  it('are counted for each address, and afresh after a minute', () => {
    const attempts = createFailedAttempts();
    expect([attempts.count('192.0.2.1', 0), attempts.count('192.0.2.1', 1), attempts.count('192.0.2.2', 1)]).toEqual([1, 2, 1]);
    expect(attempts.secondsLeft('192.0.2.1', 20 * SECOND)).toBe(40);
    expect(attempts.count('192.0.2.1', 59.9 * SECOND)).toBe(3);
    expect(attempts.count('192.0.2.1', 60 * SECOND)).toBe(1);
  });

  it('of one IPv6 network count together', () => {
    const attempts = createFailedAttempts();
    attempts.count('2001:db8:1:2::1', 0);
    attempts.count('2001:db8:1:2:ffff::7', 0);
    expect(attempts.count('2001:db8:1:2:a:b:c:d', 0)).toBe(3);
    expect(attempts.count('2001:db8:1:3::1', 0)).toBe(1);
    expect(attempts.count('::1', 0)).toBe(1);
    expect([attempts.count('::ffff:192.0.2.1', 0), attempts.count('::ffff:192.0.2.2', 0)]).toEqual([1, 1]);
  });

  it('take bounded memory: who began longest ago is forgotten first', () => {
    const attempts = createFailedAttempts(100);
    for (let number = 0; number < 1000; number++) attempts.count(`10.0.${number >> 8}.${number & 255}`, number);
    expect(attempts.count('10.0.0.0', 1000)).toBe(1);
    expect(attempts.count('10.0.3.231', 1000)).toBe(2);
  });
});
