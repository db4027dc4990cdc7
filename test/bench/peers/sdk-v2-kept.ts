/** The v2 SDK by someone who knows what its factory costs: schemas are made once and only registered per request. */
import { toolMaker } from './same-tools.ts';
import { serveHandler } from './sdk-v2-handler.ts';

const tools = (await toolMaker())();
serveHandler(() => tools);
