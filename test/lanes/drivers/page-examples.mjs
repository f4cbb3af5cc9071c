// The examples of docs/drivers.md that make the socket of a library, as modules that ask their server.
//
// An example is marked by the name of its library: "```js pg". Its servers are those of example.com. example.net has the
// same names, and refuses connections.

import { readFileSync } from 'node:fs';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/drivers.md', root), 'utf8');
const EXAMPLES = new Map(
  [...page.matchAll(/```js (\S+)\n([\s\S]*?)```/g)].map(([, name, code]) => [name, code]),
);

/** The options of the examples that connect. */
const OPTIONS = '{ mark: 7, synRetries: 2 }';

const HTTP = `
import { text } from 'node:stream/consumers';
const get = (request, ...args) => new Promise((resolve, reject) => {
  request(...args, (response) => resolve(text(response))).on('error', reject).end();
});`;

/**
 * What follows an example: a request with what it has made, and its 'error' events. A driver that tries again for ever reports
 * a refused connection only by them.
 */
const ENDS = {
  'http.Agent': `${HTTP}
    export const ask = () => get(http.request, 'http://api.example.com/', { agent });`,
  'https.Agent': `${HTTP}
    export const ask = () => get(https.request, 'https://api.example.com/', { agent });`,
  'http.request': `${HTTP}
    export const ask = () => get(http.request, 'http://api.example.com/', { createConnection });`,
  tls: `
    const secured = once(secure, 'secureConnect');
    export async function ask() {
      await secured;
      secure.write('GET / HTTP/1.1\\r\\nHost: api.example.com\\r\\n\\r\\n');
      return (await once(secure, 'data')).toString().slice(0, 15);
    }`,
  http2: `
    import { text } from 'node:stream/consumers';
    export const ask = () => text(session.request({ ':path': '/' }));`,
  undici: `
    import { Client, Pool, request } from 'undici';
    const url = 'http://api.example.com/';
    const secureUrl = 'https://api.example.com/';
    const text = async (answered) => (await answered).body.text();
    export const ask = () => text(request(url));
    export const askSecurely = () => text(request(secureUrl));
    const client = new Client(url, { connect: connectEarly });
    export const askClient = () => text(client.request({ method: 'GET', path: '/' }));
    const pool = new Pool(secureUrl, { connect: connectEarly });
    export const askPool = () => text(pool.request({ method: 'GET', path: '/' }));
    export const fetchGlobally = async () => (await fetch(url)).text();
    const other = new Agent({ connect: connectEarly });
    export async function fetchWithDispatcher() {
      setGlobalDispatcher(new Agent());
      return (await fetch(secureUrl, { dispatcher: other })).text();
    }`,
  pg: `
    export const ask = async () => (await pool.query('SELECT 1')).rowCount;`,
  postgres: `
    export const ask = async () => (await sql\`SELECT 1\`).count;`,
  'http.Server': `
    export { server };`,
  ioredis: `
    export const onError = (listener) => redis.on('error', listener);
    export const ask = () => redis.ping();`,
  mysql2: `
    export const ask = async () => (await pool.query('SELECT 1'))[0].length;`,
  mqtt: `
    export const onError = (listener) => client.on('error', listener);
    export const ask = () => client.publishAsync('topic', 'text', { qos: 1 });`,
  ws: `
    import { once } from 'node:events';
    const opened = once(socket, 'open');
    export async function ask() {
      await opened;
      socket.send('ask');
      return (await once(socket, 'message')).toString();
    }`,
};

export const NAMES = [...EXAMPLES.keys()];

/**
 * Loads an example. With `connect: 'node'` it uses net.connect(), which ignores the options.
 * @param host example.com or example.net
 */
export async function load(name, { connect, host = 'example.com', options = OPTIONS }) {
  const code = `${EXAMPLES.get(name)}\n${ENDS[name]}`;
  const module = code
    .replaceAll(OPTIONS, options)
    .replaceAll('example.com', host)
    .replaceAll(/from '(.+)'/g, (_, from) => {
      const ours = connect === 'node' ? 'node:net' : new URL('dist/index.js', root).href;
      return `from '${from === 'socket-options' ? ours : import.meta.resolve(from)}'`;
    });
  return import(`data:text/javascript,${encodeURIComponent(module)}`);
}
