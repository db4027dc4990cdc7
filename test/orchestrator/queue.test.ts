import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFairQueue } from '../../src/orchestrator/queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function drain(queue: { next(): string | undefined }): string[] {
  const items: string[] = [];
  for (let item = queue.next(); item !== undefined; item = queue.next()) items.push(item);
  return items;
}

describe('calls that wait', () => {
  it('of one principal and priority go in the order they came', () => {
    const queue = createFairQueue<string>();
    for (const item of ['1', '2', '3']) queue.add(item, 'alice');
    expect(drain(queue)).toEqual(['1', '2', '3']);
    expect(queue.size).toBe(0);
  });

  it('that are more urgent go first', () => {
    const queue = createFairQueue<string>();
    for (const priority of ['low', 'medium', 'critical', 'high'] as const) queue.add(priority, 'alice', priority);
    expect(drain(queue)).toEqual(['critical', 'high', 'medium', 'low']);
  });

  it('become more urgent with time, so that none waits for ever', () => {
    const queue = createFairQueue<string>();
    queue.add('old', 'alice', 'low');
    vi.advanceTimersByTime(15_001);
    for (let count = 0; count < 3; count++) queue.add('new', 'alice', 'high');
    expect(drain(queue)[0]).toBe('old');
  });

  it('of several principals take turns, however many one of them has', () => {
    const queue = createFairQueue<string>();
    for (let count = 0; count < 100; count++) queue.add('alice', 'alice');
    queue.add('bob', 'bob');
    queue.add('bob', 'bob');
    expect(
      drain(queue)
        .slice(0, 5)
        .filter((each) => each === 'bob'),
    ).toHaveLength(2);
  });

  it('and leave are not served, and not counted', () => {
    const queue = createFairQueue<string>();
    const first = queue.add('1', 'alice');
    queue.add('2', 'alice');
    queue.remove(first);
    queue.remove(first);
    expect(queue.size).toBe(1);
    expect(drain(queue)).toEqual(['2']);
  });

  it('tell how long the first of them has waited', () => {
    const queue = createFairQueue<string>();
    expect(queue.longestWaitMs()).toBe(0);
    queue.add('1', 'alice');
    vi.advanceTimersByTime(700);
    queue.add('2', 'bob');
    expect(queue.longestWaitMs()).toBeGreaterThanOrEqual(700);
  });

  it('by the ten thousand are served in order and quickly', () => {
    const queue = createFairQueue<number>();
    const entries = Array.from({ length: 10_000 }, (_, index) => queue.add(index, 'alice'));
    for (const entry of entries) if (entry.item % 2 === 1) queue.remove(entry);
    const served: number[] = [];
    for (let item = queue.next(); item !== undefined; item = queue.next()) served.push(item);
    expect(served).toEqual(Array.from({ length: 5000 }, (_, index) => index * 2));
  });
});
