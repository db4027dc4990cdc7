import { expect, it, onTestFinished, vi } from 'vitest';
import { redactor } from '../../src/redaction/process-redactor.ts';
import { reportDefect } from '../../src/telemetry/defects.ts';
import { messagesAt } from '../../src/telemetry/messages.ts';

function writtenToStderr(): () => string {
  let written = '';
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    written += chunk;
    return true;
  });
  onTestFinished(() => spy.mockRestore());
  return () => written;
}

it('messages for people hold no secrets: not in words, objects or errors', async () => {
  redactor.addSecret('misty-harbour-31');
  const written = writtenToStderr();
  const messages = await messagesAt('info');
  messages.warn('cannot reach misty-harbour-31');
  messages.info({ message: 'a misty-harbour-31' });
  messages.error(new Error('no misty-harbour-31'));
  expect(written()).not.toContain('misty');
  expect(written().match(/\[redacted\]/g)).toHaveLength(3);
});

it('neither do reports of defects', () => {
  redactor.addSecret('misty-harbour-31');
  const written = writtenToStderr();
  reportDefect('tools/call', new TypeError('misty-harbour-31 is not a function'));
  expect(written()).toContain('defect in tools/call: TypeError: [redacted] is not a function');
});
