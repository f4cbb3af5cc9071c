// Sends requests over pooled connections that were idle for about as long as the server keeps them, and counts those that
// met a closed connection. pools.mjs starts it, for one client and one kind of event loop.
//
//   node pool-client.mjs '{ name, checked, busy, port, requests, users, idle, spread }'

import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { isReusable } from '../../../dist/index.js';

const { name, modes, busy, port, requests, users, idle, spread } = JSON.parse(process.argv[2]);

/** A busy program works for 20 ms in every 100 ms. */
const WORK = 20;
const EVERY = 100;

/** Node calls getName() right before it takes the last free connection of that name. */
class CheckedAgent extends http.Agent {
  getName(options) {
    const name = super.getName(options);
    for (;;) {
      const socket = this.freeSockets[name]?.at(-1);
      if (socket === undefined || socket.destroyed || isReusable(socket)) return name;
      socket.destroy();
      // The agent removes it now, and not when it emits 'close'. For that it calls getName() again.
      socket.emit('agentRemove');
    }
  }
}

const { buildConnector, Client } =
  name === 'undici-7.27' ? await import('undici-7.27') : await import('undici');

/** undici connects again when the connection of an idle Client is destroyed. */
class CheckedClient extends Client {
  #socket;

  constructor(origin, options) {
    const connector = buildConnector({});
    const connect = (target, done) =>
      connector(target, (error, socket) => {
        this.#socket = socket;
        done(error, socket);
      });
    super(origin, { ...options, connect });
  }

  dispatch(options, handler) {
    const isIdle = this.stats.connected && this.stats.size === 0;
    if (isIdle && !isReusable(this.#socket)) this.#socket.destroy();
    return super.dispatch(options, handler);
  }
}

/** Each user has an address, and so connections, of its own. Returns a function that makes a request. */
const CLIENTS = {
  'http.Agent'(host, checked) {
    const agent = new (checked ? CheckedAgent : http.Agent)({ keepAlive: true });
    return () =>
      new Promise((resolve, reject) => {
        http
          .get({ host, port, agent }, (response) => text(response).then(resolve, reject))
          .on('error', reject);
      });
  },
  undici(host, checked) {
    const client = new (checked ? CheckedClient : Client)(`http://${host}:${port}`);
    return async () => (await client.request({ path: '/', method: 'GET' })).body.text();
  },
};
CLIENTS['undici-7.27'] = CLIENTS.undici;

/** What a client reports when the server closed the connection that the request went to. */
const RESETS = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** The users of one mode take turns: their requests are counted together. */
async function useAll(mode) {
  let left = requests;
  let resets = 0;
  const use = async (host) => {
    const ask = CLIENTS[name](host, mode === 'checked');
    await sleep(Math.random() * idle);
    while (left-- > 0) {
      try {
        await ask();
      } catch (error) {
        if (!RESETS.has(error.code)) throw error;
        resets++;
      }
      await sleep(idle - spread + Math.random() * 2 * spread);
    }
  };
  // The server counts connections by this address.
  const network = 1 + modes.indexOf(mode);
  const hosts = Array.from({ length: users }, (_, i) => `127.${network}.${i >> 8}.${i & 255}`);
  await Promise.all(hosts.map(use));
  return resets;
}

function work() {
  const end = performance.now() + WORK;
  while (performance.now() < end);
}
if (busy) setInterval(work, EVERY).unref();

const resets = await Promise.all(modes.map(useAll));
process.send({ resets }, () => process.exit());
