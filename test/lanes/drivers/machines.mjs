// The two connected machines of an experiment: this network namespace, and another one that has the servers.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT } from './address.mjs';
import { DAEMONS } from './daemons.mjs';

const ip = (...args) => execFileSync('ip', args);

/** What it prints goes to stderr: stdout is for the results. */
export function start(command, ...args) {
  return spawn(command, args, { stdio: ['ignore', 2, 2, 'ipc'] });
}

/** Returns the next message of a child process; an error if it ends before. */
export async function answerOf(child) {
  const [answer] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code, signal]) => [{ error: `ended with ${code ?? signal}` }]),
  ]);
  return answer;
}

/** Sends an order to a child process and returns its answer. */
export async function tell(child, order) {
  child.send(order);
  const answer = await answerOf(child);
  if (answer.error !== undefined) throw new Error(`${order}: ${answer.error}`);
  return answer.result;
}

/**
 * Starts the servers in a new network namespace, and connects this one with it.
 * @param daemons the names of Debian's servers
 */
export async function startServers(data, programs, ports, daemons = DAEMONS) {
  // Programs that are started later find the keys of the servers there.
  process.env.SERVERS_DATA = data;
  ip('link', 'set', 'lo', 'up');
  const servers = start(
    ...['unshare', '--net', process.execPath, new URL('servers.mjs', import.meta.url).pathname],
    ...[data, programs, `${ports}`, JSON.stringify(daemons)],
  );
  // The namespace exists when the program that unshare(1) executes runs.
  const program = () => readFileSync(`/proc/${servers.pid}/cmdline`, 'utf8');
  while (!program().startsWith(process.execPath)) await sleep(10);
  ip('link', 'add', 'client', 'type', 'veth', 'peer', 'name', 'server', 'netns', `${servers.pid}`);
  ip('address', 'add', `${CLIENT}/24`, 'dev', 'client');
  ip('link', 'set', 'client', 'up');
  return { servers, versions: await tell(servers, 'begin') };
}
