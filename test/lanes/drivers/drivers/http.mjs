// HTTP and gRPC. drivers.mjs says what a driver is.

import { OWN_PORTS } from '../address.mjs';
import { WAIT } from '../grpc.mjs';

async function openHttp(index, host, get) {
  const origin = `http://${host}:${OWN_PORTS.http + index}`;
  return { ask: () => get(`${origin}/`), wait: () => get(`${origin}/wait`) };
}

/** These clients do not keep connections by themselves, or for a few seconds only. */
async function keepAliveAgent() {
  const { default: http } = await import('node:http');
  return new http.Agent({ keepAlive: true });
}

export const HTTP = {
  undici: async () => {
    const { getGlobalDispatcher, request } = await import('undici');
    return async (tell, index, host) => {
      const disconnected = tell('disconnect');
      getGlobalDispatcher().on('disconnect', (origin, _targets, error) => {
        if (origin.port === `${OWN_PORTS.http + index}`) disconnected(error);
      });
      return openHttp(index, host, async (url) => (await request(url)).body.text());
    };
  },

  fetch: async () => async (_tell, index, host) =>
    openHttp(index, host, async (url) => (await fetch(url)).text()),

  'http.Agent': async () => {
    const { default: http } = await import('node:http');
    const { text } = await import('node:stream/consumers');
    const agent = await keepAliveAgent();
    return async (_tell, index, host) =>
      openHttp(
        index,
        host,
        (url) =>
          new Promise((resolve, reject) => {
            http.get(url, { agent }, (response) => resolve(text(response))).on('error', reject);
          }),
      );
  },

  axios: async (options) => {
    const { default: axios } = await import('axios');
    const client = axios.create({ httpAgent: await keepAliveAgent(), ...options });
    return async (_tell, index, host) =>
      openHttp(index, host, async (url) => (await client.get(url)).data);
  },

  got: async (options) => {
    const { got } = await import('got');
    const client = got.extend({ agent: { http: await keepAliveAgent() }, ...options });
    return async (_tell, index, host) => openHttp(index, host, (url) => client.get(url).text());
  },

  'node-fetch': async () => {
    const { default: fetch } = await import('node-fetch');
    const agent = await keepAliveAgent();
    return async (_tell, index, host) =>
      openHttp(index, host, async (url) => (await fetch(url, { agent })).text());
  },

  superagent: async () => {
    const { default: superagent } = await import('superagent');
    const agent = await keepAliveAgent();
    return async (_tell, index, host) =>
      openHttp(index, host, async (url) => (await superagent.get(url).agent(agent)).status);
  },

  http2: async () => {
    const { default: http2 } = await import('node:http2');
    const { text } = await import('node:stream/consumers');
    return async (tell, index, host) => {
      const session = http2.connect(`http://${host}:${OWN_PORTS.http2 + index}`);
      for (const event of ['error', 'close']) session.on(event, tell(event));
      const get = (path) => text(session.request({ ':path': path }));
      return { ask: () => get('/'), wait: () => get('/wait') };
    };
  },

  '@grpc/grpc-js': async () => {
    const grpc = await import('@grpc/grpc-js');
    const Client = grpc.makeClientConstructor(WAIT, 'Test');
    return async (tell, index, host) => {
      const address = `${host}:${OWN_PORTS.grpc + index}`;
      const client = new Client(address, grpc.credentials.createInsecure());
      const call = (text) =>
        new Promise((resolve, reject) => {
          client.wait(text, (error, answer) => (error ? reject(error) : resolve(answer)));
        });
      await call('ask');
      const { READY } = grpc.connectivityState;
      client.getChannel().watchConnectivityState(READY, Number.POSITIVE_INFINITY, tell('state'));
      return { ask: () => call('ask'), wait: () => call('wait') };
    };
  },
};
