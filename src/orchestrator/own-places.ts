/** Places in the server's own thread: for tools that need the orchestrator itself, and where there are no agents. */
import { Failure } from '../errors.ts';
import type { Catalogue } from '../tools/catalogue.ts';
import type { AgentStatus, Place } from './pool.ts';
import { type RunSurroundings, runTool } from './tool-run.ts';

export interface OwnPlacesOptions extends RunSurroundings {
  readonly catalogue: Catalogue;
  /** Calls at once. */
  readonly capacity: number;
}

/** @param onFree told when a place becomes free */
export function createOwnPlaces(options: OwnPlacesOptions, onFree: () => void) {
  const { catalogue, capacity } = options;
  let running = 0;
  let calls = 0;
  let failures = 0;

  const place: Place = {
    run({ tool: name, arguments: values }, task, limit, caller) {
      const tool = catalogue.loadedTool(name);
      if (!tool) return Promise.reject(new Failure('not_found', `The tool ${name} has just been removed.`));
      return runTool(tool, values, { task, limit }, caller, options);
    },
    leave(ok) {
      running--;
      if (!ok) failures++;
      onFree();
    },
  };

  return {
    take(): Place | undefined {
      if (running >= capacity) return undefined;
      running++;
      calls++;
      return place;
    },
    status(): Omit<AgentStatus, 'startedMs' | 'health'> {
      return { id: 'in-process', state: 'ready', running, capacity, calls, failures, restarts: 0 };
    },
  };
}
