import type { z } from 'zod';
import type { Failure } from '../errors.ts';
import type { Prompt } from '../prompts/prompt.ts';
import type { Resource, ResourceTemplate } from '../resources/resource.ts';
import type { AnyTool, defineTool, RawResult } from '../tools/tool.ts';

/** What a plug-in is given: our own building blocks, so that it needs no imports. */
export interface PluginKit {
  readonly defineTool: typeof defineTool;
  readonly RawResult: typeof RawResult;
  readonly Failure: typeof Failure;
  readonly z: typeof z;
  /** Changes the running catalogue; every connected client is told (`list_changed`, `resources/updated`). */
  readonly catalogue: CatalogueHandle;
}

export interface CatalogueHandle {
  addTool(tool: AnyTool): void;
  removeTool(name: string): void;
  addPrompt(prompt: Prompt): void;
  removePrompt(name: string): void;
  addResource(resource: Resource): void;
  removeResource(uri: string): void;
  /** Says that a resource's contents changed. */
  resourceUpdated(uri: string): void;
}

export interface PluginContributions {
  readonly tools?: readonly AnyTool[];
  readonly resources?: readonly Resource[];
  readonly resourceTemplates?: readonly ResourceTemplate[];
  readonly prompts?: readonly Prompt[];
}

/** The default export of a plug-in file: one tool, or a set of contributions. */
export type Plugin = (kit: PluginKit) => AnyTool | PluginContributions | Promise<AnyTool | PluginContributions>;
