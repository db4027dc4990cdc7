import { isReference } from './literal-values.ts';
import type { Shape } from './shape.ts';

/** Name and password before the host (RFC 3986, section 3.2.1); neither is looked for further than this. */
const USER_INFO = /:\/\/[^\s/?#"'`<>@:\\]{0,128}:([^\s/"'`<>@\\]{1,256})@(?=[A-Za-z0-9[%$_{.-])/y;

/** The password in `scheme://user:password@host`; user and host stay. */
export const URL_PASSWORD: Shape = {
  anchors: ['://'],
  find(text, at) {
    USER_INFO.lastIndex = at;
    const password = USER_INFO.exec(text)?.[1];
    if (password === undefined || isReference(password)) return undefined;
    const end = text.indexOf('@', USER_INFO.lastIndex - 1);
    return { start: end - password.length, end, kind: 'password' };
  },
};
