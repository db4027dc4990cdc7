/** The built executable, as `npm test` hands it to the tests. */
import { join } from 'node:path';

export const BINARY: string = process.env.TEST_MCP_BINARY ?? join(import.meta.dirname, '..', '..', 'dist', 'mcp-python');
