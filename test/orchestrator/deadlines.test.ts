import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createDeadlines } from '../../src/orchestrator/deadlines.ts';

describe('deadlines on one timer', () => {
  it('expire in the order they were set, each after its own time', async () => {
    const deadlines = createDeadlines(60);
    const expired: string[] = [];
    deadlines.set(() => expired.push('first'));
    await sleep(30);
    deadlines.set(() => expired.push('second'));
    await sleep(45);
    expect(expired).toEqual(['first']);
    await sleep(45);
    expect(expired).toEqual(['first', 'second']);
  });

  it('do not expire once cleared', async () => {
    const deadlines = createDeadlines(20);
    const expired: string[] = [];
    const cleared = deadlines.set(() => expired.push('cleared'));
    deadlines.set(() => expired.push('kept'));
    deadlines.clear(cleared);
    await sleep(60);
    expect(expired).toEqual(['kept']);
  });

  it('may be set again from one that expires', async () => {
    const deadlines = createDeadlines(20);
    const expired: number[] = [];
    deadlines.set(() => {
      expired.push(1);
      deadlines.set(() => expired.push(2));
    });
    await sleep(90);
    expect(expired).toEqual([1, 2]);
  });

  it('go on after one that throws', async () => {
    const deadlines = createDeadlines(20);
    const thrown: unknown[] = [];
    const listeners = process.rawListeners('uncaughtException') as NodeJS.UncaughtExceptionListener[];
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => thrown.push(error.message));
    let expired = false;
    deadlines.set(() => {
      throw new Error('of the first');
    });
    deadlines.set(() => {
      expired = true;
    });
    await sleep(90);
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(thrown).toEqual(['of the first']);
    expect(expired).toBe(true);
  });
});
