/** A process that writes to an audit log until it has written all, or is killed; see `startWriter`. */
import { writeSync } from 'node:fs';
import { openAuditLog } from '../../src/audit/open-audit-log.ts';

const AT_A_TIME = 8;

const { from, count, ...folders } = JSON.parse(process.argv[2] ?? '');
const log = await openAuditLog({
  ...folders,
  required: true,
  maxFileAgeSeconds: 86_400,
  keepFiles: 1000,
  redact: (text) => text,
  onFailure: (message) => console.error(message),
});
for (let number = from; number < from + count; number += AT_A_TIME) {
  const group = Array.from({ length: Math.min(AT_A_TIME, from + count - number) }, (_, index) => number + index);
  await Promise.all(
    group.map((each) =>
      log.record({
        event: 'call',
        principal: 'local',
        principal_name: `writer ${process.pid}`,
        task: `00000000-0000-4000-8000-${String(each).padStart(12, '0')}`,
        tool: 'read_file',
        outcome: 'completed',
        duration_ms: each,
      }),
    ),
  );
  // Past every buffer of ours: what is said here was acknowledged before it was killed.
  writeSync(1, `${group.join(' ')}\n`);
}
await log[Symbol.asyncDispose]();
