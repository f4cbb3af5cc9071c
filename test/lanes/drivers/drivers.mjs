// The clients, used as in their documentation, without any option about time, or with those that the caller gives. A driver is
// loaded when it is used, after the sockets of the process are tuned.
//
// `await DRIVERS[name](options)` loads it and returns `open(tell, index, host)`, which opens a connection and returns
// `{ ask, wait }`. `ask()` makes a request that is answered at once, `wait()` one that stays pending; `wait` is null where the
// server answers everything. `tell(event)` returns a listener for events that the driver emits by itself.

import { DATABASES } from './drivers/databases.mjs';
import { HTTP } from './drivers/http.mjs';
import { MESSAGES } from './drivers/messages.mjs';
import { OTHERS } from './drivers/others.mjs';

export const DRIVERS = { ...DATABASES, ...MESSAGES, ...HTTP, ...OTHERS };

/** The package of a driver; null: it comes with Node. */
export function packageOf(name) {
  if (['fetch', 'http.Agent', 'http2'].includes(name)) return null;
  return name.split(', ')[0];
}
