// Servers of one port in two processes, and of an address that comes later, in namespaces. ss(8) shows who listens.
// Prints the outcomes as JSON.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { SERVER } from './address.mjs';
import { answerOf, start } from './machines.mjs';

const program = new URL('early-server.mjs', import.meta.url).pathname;
const PORT = 8080;

const listeners = () =>
  execFileSync('ss', ['-Hltn', 'sport', '=', `:${PORT}`], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '');

function get(host) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host, port: PORT, agent: false }, (response) =>
      resolve(text(response)),
    );
    request.on('error', reject);
  });
}

/** Runs `use` while processes listen, and ends them. */
async function withServers(count, args, use) {
  const children = [];
  const outcomes = [];
  try {
    for (let index = 0; index < count; index++) {
      children.push(start(process.execPath, program, ...args));
      const { result, error } = await answerOf(children[index]);
      outcomes.push(result ?? error);
    }
    return { outcomes, ...(await use(children)) };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    const isRunning = ({ exitCode, signalCode }) => exitCode === null && signalCode === null;
    await Promise.all(children.filter(isRunning).map((child) => once(child, 'exit')));
  }
}

/** Two processes on one port. */
async function sharePort(name, way) {
  const report = await withServers(2, [name, way, '127.0.0.1', 'reusePort'], async (children) => {
    const count = listeners().length;
    const answered = new Set();
    // The kernel chooses the process by a hash of the ports.
    if (name.startsWith('http')) {
      while (count === 2 && answered.size < 2) answered.add(await get('127.0.0.1'));
    }
    const pids = children.map(({ pid }) => `${pid}`);
    return { listeners: count, answered: pids.filter((pid) => answered.has(pid)).length };
  });
  return { name, way, option: 'reusePort', ...report };
}

/** A server of an address that the machine gets later. */
async function listenBefore(name, way) {
  const report = await withServers(1, [name, way, SERVER, 'freeBind'], async ([child]) => {
    const count = listeners().filter((line) => line.includes(`${SERVER}:${PORT}`)).length;
    if (count === 0) return { listeners: count, answered: 0 };
    execFileSync('ip', ['address', 'add', `${SERVER}/32`, 'dev', 'lo']);
    const answer = name === 'http' ? await get(SERVER) : undefined;
    execFileSync('ip', ['address', 'delete', `${SERVER}/32`, 'dev', 'lo']);
    return { listeners: count, answered: answer === `${child.pid}` ? 1 : 0 };
  });
  return { name, way, option: 'freeBind', ...report };
}

execFileSync('ip', ['link', 'set', 'lo', 'up']);
const reports = [await sharePort('http.Server', 'listen')];
for (const name of ['http', 'ws']) {
  for (const way of ['listen', 'tuned', 'plain']) {
    reports.push(await sharePort(name, way), await listenBefore(name, way));
  }
}
for (const way of ['tuned', 'plain']) {
  reports.push(await sharePort('@grpc/grpc-js', way), await listenBefore('@grpc/grpc-js', way));
}
console.log(JSON.stringify(reports));
process.exit(0);
