/** The v1 SDK straight on node:http: the least it can be mounted on. */
import { listen, readJson } from './listen.ts';
import { answer } from './sdk-v1-sessions.ts';

listen((request, response) => {
  readJson(request)
    .then((body) => answer(request, response, body))
    .catch((thrown: unknown) => response.destroy(thrown as Error));
});
