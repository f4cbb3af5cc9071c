// Run by emulated.mjs on each processor, with fixed_tcp_info.c preloaded: every member of TCP_INFO has the value
// that the C compiler of the processor wrote. The argument is the path of that file.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { getKernelTcpInfo, getOption, getTcpInfo, readTcpInfos } from 'socket-options';

const source = readFileSync(process.argv[2], 'utf8');
const written = Object.fromEntries(
  [...source.matchAll(/SET\((tcpi_\w+), (\w+)\)/g)].map(([, name, value]) => [name, Number(value)]),
);
const server = createServer().listen(0, '127.0.0.1', () => {
  const members = Object.entries(getKernelTcpInfo(server)).filter(([, value]) => value !== null);
  assert.ok(members.length > 50);
  for (const [name, value] of members) assert.equal(value, written[name], name);
  for (const name of Object.keys(written))
    assert.ok(
      members.some(([member]) => member === name),
      name,
    );

  const info = getTcpInfo(server);
  assert.equal(info.state, 'ESTABLISHED');
  assert.equal(info.rtt, 12.345);
  assert.equal(info.probes, 4);
  assert.equal(info.bytesAcked, 0x1_0000_0001);
  assert.equal(info.congestionWindow, 10 * 1448);
  const columns = readTcpInfos([server], ['rtt', 'backoff', 'bytesSent']);
  assert.deepEqual(
    [columns.rtt[0], columns.backoff[0], columns.bytesSent[0]],
    [12.345, 5, 0x7_0000_0007],
  );
  assert.equal(getOption(server, 'cookie'), String(0x0102_0304_0506_0708n));
  console.log(`${members.length} members of TCP_INFO as the C compiler wrote them`);
  server.close();
});
