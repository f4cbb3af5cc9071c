// PostgreSQL with pg: a query to a server that vanished fails within 20 s, and not after a quarter of an hour.
//
//   npm install socket-options pg
//   node pg.mjs postgres://user:password@db.example/app

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { explainDisconnect, tuneSockets } from 'socket-options';

const [connectionString = process.env.DATABASE_URL ?? 'postgres://postgres@localhost/postgres'] =
  process.argv.slice(2);

// Every connection that this program opens from now on.
tuneSockets({ client: { deadPeerTimeout: 20_000, connectTimeout: 5_000 } });

const pool = new pg.Pool({ connectionString });
// Without this listener, the error of an idle connection ends the program.
pool.on('error', (error) => console.error(`idle: ${explainDisconnect(error).message}`));

for (;;) {
  try {
    const { rows } = await pool.query('SELECT now()');
    console.log(`answered: ${rows[0].now.toISOString()}`);
  } catch (error) {
    console.error(`failed: ${explainDisconnect(error).message}`);
  }
  await sleep(1_000);
}
