/** Calls that wait for a place: the urgent first, everybody in turn, nobody for ever. */
import type { TaskPriority } from './durable-tasks.ts';

/** From the most to the least urgent. */
const PRIORITIES: readonly TaskPriority[] = ['critical', 'high', 'medium', 'low'];

/** After each of these waits, milliseconds, a call counts as one step more urgent. */
const AGEING_MS = 5000;

export interface QueueEntry<Item> {
  readonly item: Item;
  readonly principal: string;
  readonly level: number;
  readonly sinceMs: number;
  left: boolean;
}

export interface FairQueue<Item> {
  readonly size: number;
  /** How long the one that waits longest has waited, milliseconds; 0 when none does. */
  longestWaitMs(): number;
  add(item: Item, principal: string, priority?: TaskPriority): QueueEntry<Item>;
  /** For one that no longer wants to wait. */
  remove(entry: QueueEntry<Item>): void;
  /** The next one, taken out. */
  next(): Item | undefined;
}

/** First in, first out, among those of one principal and one priority. */
interface Lane<Item> {
  readonly entries: QueueEntry<Item>[];
  /** Entries before it are gone. */
  head: number;
}

interface Owner<Item> {
  readonly lanes: readonly Lane<Item>[];
  /** Turn in which it was last served: who waits longest for a turn comes first. */
  served: number;
}

export function createFairQueue<Item>(): FairQueue<Item> {
  const owners = new Map<string, Owner<Item>>();
  let size = 0;
  let turn = 0;

  function ownerOf(principal: string): Owner<Item> {
    const known = owners.get(principal);
    if (known) return known;
    const made: Owner<Item> = { lanes: PRIORITIES.map(() => ({ entries: [], head: 0 })), served: 0 };
    owners.set(principal, made);
    return made;
  }

  return {
    get size() {
      return size;
    },
    longestWaitMs() {
      let earliestMs = Number.POSITIVE_INFINITY;
      for (const { lanes } of owners.values()) {
        for (const lane of lanes) earliestMs = Math.min(earliestMs, first(lane)?.sinceMs ?? earliestMs);
      }
      return earliestMs === Number.POSITIVE_INFINITY ? 0 : performance.now() - earliestMs;
    },
    add(item, principal, priority = 'medium') {
      const level = PRIORITIES.indexOf(priority);
      const entry = { item, principal, level, sinceMs: performance.now(), left: false };
      ownerOf(principal).lanes[level]?.entries.push(entry);
      size++;
      return entry;
    },
    remove(entry) {
      if (entry.left) return;
      entry.left = true;
      size--;
    },
    next() {
      const nowMs = performance.now();
      let best: { readonly urgency: number; readonly owner: Owner<Item>; readonly lane: Lane<Item> } | undefined;
      for (const [principal, owner] of owners) {
        let waits = false;
        for (const lane of owner.lanes) {
          const entry = first(lane);
          if (!entry) continue;
          waits = true;
          const urgency = Math.max(0, entry.level - Math.floor((nowMs - entry.sinceMs) / AGEING_MS));
          const comesFirst =
            !best ||
            urgency < best.urgency ||
            (urgency === best.urgency && owner !== best.owner && owner.served < best.owner.served);
          if (comesFirst) best = { urgency, owner, lane };
        }
        if (!waits) owners.delete(principal);
      }
      if (!best) return undefined;
      const entry = best.lane.entries[best.lane.head++] as QueueEntry<Item>;
      entry.left = true;
      size--;
      best.owner.served = ++turn;
      return entry.item;
    },
  };
}

/** How many entries that are gone a lane keeps at most. */
const MAX_GONE = 1024;

function first<Item>(lane: Lane<Item>): QueueEntry<Item> | undefined {
  while (lane.entries[lane.head]?.left) lane.head++;
  if (lane.head > MAX_GONE || lane.head === lane.entries.length) {
    lane.entries.splice(0, lane.head);
    lane.head = 0;
  }
  return lane.entries[lane.head];
}
