// Brokers, queues, and what is built on WebSocket. drivers.mjs says what a driver is.

import { promisify } from 'node:util';
import { MQTT_WEBSOCKET_PORT, OWN_PORTS, PORTS } from '../address.mjs';

async function openMqtt(url, tell, options) {
  const { default: mqtt } = await import('mqtt');
  const client = await mqtt.connectAsync(url, options);
  for (const event of ['error', 'close']) client.on(event, tell(event));
  const ask = () => client.publishAsync('topic', 'text', { qos: 1 });
  // A broker acknowledges at once: a pending message is one that it never received.
  return { ask, wait: null };
}

export const MESSAGES = {
  mqtt: async (options) => async (tell, _index, host) =>
    openMqtt(`mqtt://${host}:${PORTS.mosquitto}`, tell, options),

  'mqtt, WebSocket': async (options) => async (tell, _index, host) =>
    openMqtt(`ws://${host}:${MQTT_WEBSOCKET_PORT}`, tell, options),

  amqplib: async (options) => {
    const { connect } = await import('amqplib');
    return async (tell, _index, host) => {
      const connection = await connect(`amqp://${host}:${PORTS.rabbitmq}`, options);
      for (const event of ['error', 'close']) connection.on(event, tell(event));
      const channel = await connection.createChannel();
      return { ask: () => channel.assertQueue('queue', { durable: false }), wait: null };
    };
  },

  '@nats-io/transport-node': async (options) => {
    const { connect } = await import('@nats-io/transport-node');
    return async (tell, _index, host) => {
      const connection = await connect({ servers: `${host}:${PORTS.nats}`, ...options });
      connection.subscribe('ask', { callback: (_error, message) => message.respond('here') });
      connection.subscribe('wait', { callback: () => {} });
      (async () => {
        for await (const { type } of connection.status()) tell(type)();
      })();
      return {
        ask: async () => (await connection.request('ask')).string(),
        wait: () => connection.request('wait', '', { timeout: 300_000 }),
      };
    };
  },

  fivebeans: async () => {
    const { default: fivebeans } = await import('fivebeans');
    return async (tell, _index, host) => {
      const client = new fivebeans.client(host, PORTS.beanstalkd);
      for (const event of ['error', 'close']) client.on(event, tell(event));
      await new Promise((resolve, reject) => {
        client.once('connect', resolve).once('error', reject).connect();
      });
      const call = (method, ...args) => promisify(client[method].bind(client))(...args);
      return { ask: () => call('use', 'tube'), wait: () => call('reserve') };
    };
  },

  ws: async () => {
    const { WebSocket } = await import('ws');
    return async (tell, index, host) => {
      const socket = new WebSocket(`ws://${host}:${OWN_PORTS.ws + index}`);
      for (const event of ['error', 'close']) socket.on(event, tell(event));
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      const send = (text) =>
        new Promise((resolve, reject) => {
          socket.once('message', resolve).once('error', reject).once('close', reject);
          socket.send(text);
        });
      return { ask: () => send('ask'), wait: () => send('wait') };
    };
  },

  'socket.io-client': async (options) => {
    const { io } = await import('socket.io-client');
    return async (tell, index, host) => {
      // Otherwise it begins with another connection, for HTTP.
      const socket = io(`http://${host}:${OWN_PORTS.socketIo + index}`, {
        transports: ['websocket'],
        ...options,
      });
      for (const event of ['disconnect', 'connect_error']) socket.on(event, tell(event));
      return { ask: () => socket.emitWithAck('ask'), wait: () => socket.emitWithAck('wait') };
    };
  },

  'graphql-ws': async (options) => {
    const { createClient } = await import('graphql-ws');
    const { WebSocket } = await import('ws');
    return async (tell, index, host) => {
      const client = createClient({
        ...{ url: `ws://${host}:${OWN_PORTS.graphql + index}`, webSocketImpl: WebSocket },
        // Otherwise it closes a connection without requests.
        ...{ lazy: false, onNonLazyError: tell('onNonLazyError'), ...options },
      });
      for (const event of ['error', 'closed']) client.on(event, tell(event));
      const query = async (name) => {
        const { value } = await client.iterate({ query: `{ ${name} }` }).next();
        return value;
      };
      return { ask: () => query('ask'), wait: () => query('wait') };
    };
  },
};
