// Asks the servers with one library, in its own process, and reports what became of it. early-stage.mjs counts the SYNs.

import { createHook } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { SERVER } from './address.mjs';
import { DRIVERS } from './drivers.mjs';
import { load } from './page-examples.mjs';

const [name, way, ...rest] = process.argv.slice(2);

// Below net.Socket, and so independent of the package.
const handles = new Set();
createHook({
  init: (_id, type, _trigger, resource) => type === 'TCPWRAP' && handles.add(resource),
}).enable();

const untunable = [];
if (way.endsWith('tuned')) {
  const { tuneSockets } = await import('../../../dist/index.js');
  tuneSockets({
    client: { mark: 7, synRetries: 2 },
    onError: (error) => untunable.push(error.message),
  });
}

const referenceAddon = createRequire(import.meta.url)(
  '../../support/reference-addon/build/Release/reference_addon.node',
);
const SOL_SOCKET = 1;
const SO_MARK = 36;
const TCP = 6;
const TCP_SYNCNT = 7;

/** The kernel's values of the connections, read without the package. */
function heldOptions() {
  const peer = {};
  const value = Buffer.alloc(4);
  const read = (fd, level, number) => {
    referenceAddon.get(fd, level, number, value);
    return value.readInt32LE();
  };
  return [...handles]
    .filter((handle) => handle.fd >= 0 && handle.getpeername?.(peer) === 0)
    .filter(() => peer.address === SERVER)
    .map(({ fd }) => ({
      mark: read(fd, SOL_SOCKET, SO_MARK),
      synRetries: read(fd, TCP, TCP_SYNCNT),
    }));
}

/** Everything by which a program can tell two errors apart, without stamps of time. */
function describe(error) {
  const { name: type, code, message = String(error), errors } = error ?? {};
  // WebSocket libraries report events that have the error.
  const cause = error?.cause ?? error?.error ?? error?.description;
  return {
    ...{ type, code, message: message.replaceAll(/\(\d{4}-\S+Z\)/g, '') },
    ...(errors && { errors: errors.map(describe) }),
    ...(cause && { cause: describe(cause) }),
  };
}

/** Opens the library's client, and returns what asks and how its 'error' events are listened to. */
async function open(host, options) {
  if (way === 'driver' || way === 'driver-tuned') {
    const connect = await (DRIVERS[name] ?? SECURE[name])();
    return connectDriver(connect, host);
  }
  const connect = way === 'example' ? 'package' : 'node';
  return load(name, { connect, host, options });
}

/** Encrypted connections, which drivers.mjs does not have. */
const SECURE = {
  https: async () => {
    const { default: https } = await import('node:https');
    const { text } = await import('node:stream/consumers');
    const agent = new https.Agent({ keepAlive: true });
    const get = (url) =>
      new Promise((resolve, reject) => {
        https.get(url, { agent }, (response) => resolve(text(response))).on('error', reject);
      });
    return async (_tell, _index, host) => ({ ask: () => get(`https://${host}/`) });
  },
  'https of undici': async () => {
    const { request } = await import('undici');
    const get = async (url) => (await request(url)).body.text();
    return async (_tell, _index, host) => ({ ask: () => get(`https://${host}/`) });
  },
  'https of fetch': async () => {
    const get = async (url) => (await fetch(url)).text();
    return async (_tell, _index, host) => ({ ask: () => get(`https://${host}/`) });
  },
};

async function connectDriver(connect, host) {
  let heard = () => {};
  const tell = (event) => (error) => ['error', 'connect_error'].includes(event) && heard(error);
  let driver;
  const opened = (async () => {
    driver = await connect(tell, 0, `api.${host}`);
  })();
  return {
    onError: (listener) => {
      heard = listener;
    },
    ask: async () => {
      await opened;
      return driver.ask();
    },
  };
}

async function ask(request = 'ask') {
  const client = await open('example.com');
  const answers = [];
  for (let time = 0; time < 2; time++) answers.push((await client[request]()) ?? 'answered');
  return { answers, held: heldOptions(), untunable };
}

/** Returns the first error that the library reports. */
async function fail(request, host, options) {
  try {
    const client = await open(host, options);
    const told = new Promise((_resolve, reject) => client.onError?.(reject));
    return { answer: await Promise.race([client[request](), told]) };
  } catch (error) {
    return describe(error);
  }
}

const ORDERS = {
  ask,
  refuse: (request = 'ask') => fail(request, 'example.net'),
  reject: (request = 'ask') => fail(request, 'example.com', "{ bindToDevice: 'absent0' }"),
};

// Drivers also reject promises that they do not await, after the first report.
process.on('unhandledRejection', () => {});
process.send({ result: await ORDERS[rest[0]](...rest.slice(1)) }, () => process.exit(0));
