/** The v2 SDK as its serving guide writes it: tools and their schemas are made in the factory, for each request. */
import { toolMaker } from './same-tools.ts';
import { serveHandler } from './sdk-v2-handler.ts';

serveHandler(await toolMaker());
