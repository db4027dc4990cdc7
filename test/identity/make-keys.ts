/** Makes keys one after the other: names of its own, and names that others make too. Run with fork(). */
import { Failure } from '../../src/errors.ts';
import { openKeyStore } from '../../src/identity/key-store.ts';

const [folder = '', own = '', count = '0', shared] = process.argv.slice(2);
const store = openKeyStore(folder);
const made: string[] = [];
let taken = 0;

for (let number = 0; number < Number(count); number++) {
  for (const name of [`${own}-${number}`, ...(shared ? [`${shared}-${number}`] : [])]) {
    try {
      made.push((await store.create({ name, scopes: ['tools:read'] })).text);
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== 'conflict') throw thrown;
      taken++;
    }
  }
  if (!shared && number === 0) process.send?.({ made, taken });
}
if (shared) process.send?.({ made, taken }, () => process.disconnect());
