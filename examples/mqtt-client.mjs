// A device that speaks MQTT: it notices within 20 s that its broker vanished, and connects again by itself.
//
//   npm install socket-options mqtt
//   node mqtt-client.mjs mqtt://broker.example device-7

import mqtt from 'mqtt';
import { explainDisconnect, tuneSockets } from 'socket-options';

const [url = 'mqtt://localhost', clientId = 'device-7'] = process.argv.slice(2);

// Every connection that this program opens from now on.
tuneSockets({ client: { deadPeerTimeout: 20_000 } });

const client = mqtt.connect(url, { clientId, keepalive: 60, reconnectPeriod: 1_000 });
client.on('connect', () => {
  console.log(`connected to ${url}`);
  client.publish(`devices/${clientId}`, 'here', { qos: 1 }, (error) => {
    if (!error) console.log('the broker has the message');
  });
});
client.on('error', (error) => console.error(explainDisconnect(error).message));
client.on('close', () => console.log('disconnected'));
