import { z } from 'zod';

/** The `backend` argument that every tool which touches a machine takes. */
export const backendArgument = z.string().optional().describe('Machine; absent: the configured one.');
