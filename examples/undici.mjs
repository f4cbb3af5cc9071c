// undici: the connections of one Agent notice within 20 s that their server vanished. Other connections do not change.
//
//   npm install socket-options undici
//   node undici.mjs http://api.example/

import { setTimeout as sleep } from 'node:timers/promises';
import { explainDisconnect, setDeadPeerTimeout } from 'socket-options';
import { Agent, buildConnector, request } from 'undici';

const [url = 'http://localhost:8080/'] = process.argv.slice(2);

const connect = buildConnector({ timeout: 5_000 });
const dispatcher = new Agent({
  connect: (options, callback) =>
    connect(options, (error, socket) => {
      if (socket) setDeadPeerTimeout(socket, 20_000);
      callback(error, socket);
    }),
});

for (;;) {
  try {
    const { statusCode, body } = await request(url, { dispatcher });
    console.log(`answered: ${statusCode}, ${(await body.text()).length} characters`);
  } catch (error) {
    console.error(`failed: ${explainDisconnect(error).message}`);
  }
  await sleep(1_000);
}
