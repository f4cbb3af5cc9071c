// Two hosts and the path between them: this process in one network namespace, the peer's programs in another, and the relay
// (relay.c). Each connection has an address of the peer of its own, whose number is its flow.

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const OUR_ADDRESS = '10.8.0.1';
const PEER_PROGRAM = fileURLToPath(new URL('peer.mjs', import.meta.url));

/** The address of a flow. Link 1 is the one that can go down. */
export const addressOf = (flow, link = 0) => `10.${9 + link}.${flow >> 8}.${flow & 255}`;

const ours = (...command) => execFileSync(command[0], command.slice(1), { stdio: 'pipe' });
const within = (pid, ...command) => ours('nsenter', '--net', '--target', `${pid}`, ...command);

/**
 * Makes the hosts. `relay` is the compiled relay.c. Returns the path, and the first program of the peer, which holds its
 * namespace.
 */
export async function makeHosts({ relay, seed = 1, slowStartAfterIdle = 1 }) {
  const peer = await startProgram('unshare', ['--net', process.execPath, PEER_PROGRAM]);
  const path = await startRelay(relay, peer.pid, seed);
  ours('ip', 'link', 'set', 'lo', 'up');
  ours('ip', 'address', 'add', `${OUR_ADDRESS}/32`, 'dev', 'lo');
  writeFileSync('/proc/sys/net/ipv4/tcp_slow_start_after_idle', `${slowStartAfterIdle}`);
  for (const link of [0, 1]) {
    ours('ip', 'link', 'set', `tun${link}`, 'up', 'txqueuelen', '10000');
    ours('ip', 'route', 'add', `${addressOf(0, link)}/16`, 'dev', `tun${link}`, 'src', OUR_ADDRESS);
  }
  within(peer.pid, 'ip', 'link', 'set', 'lo', 'up');
  within(peer.pid, 'ip', 'link', 'set', 'tun0', 'up', 'txqueuelen', '10000');
  within(peer.pid, 'ip', 'route', 'add', `${OUR_ADDRESS}/32`, 'dev', 'tun0');
  for (const link of [0, 1]) {
    within(peer.pid, 'ip', 'route', 'add', 'local', `${addressOf(0, link)}/16`, 'dev', 'lo');
  }
  return {
    path,
    peer,
    /** The processor time in seconds that this program, the first one of the peer and the relay have used. */
    cpuSeconds: () => [process.pid, peer.pid, path.pid].reduce((sum, pid) => sum + cpuOf(pid), 0),
    /** Starts another program on the peer's host, which can be stopped separately. */
    startPeer: () =>
      startProgram('nsenter', [
        ...['--net', '--target', `${peer.pid}`],
        ...[process.execPath, PEER_PROGRAM],
      ]),
  };
}

const TICKS_PER_SECOND = 100;

function cpuOf(pid) {
  // The fields after the name, which may have spaces: user and system time are the 12th and 13th.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Starts a program that obeys commands. It ends with this one. */
async function startProgram(command, args) {
  const { lines, child } = start(command, args);
  const pid = Number((await lines.next()).value);
  return {
    pid,
    /** Sends a command with its argument, and resolves with the answer. */
    async ask(...words) {
      child.stdin.write(`${JSON.stringify(words)}\n`);
      return JSON.parse((await lines.next()).value);
    },
    signal: (name) => process.kill(pid, name),
  };
}

function start(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  process.on('exit', () => child.kill('SIGKILL'));
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

/** The path. Its times are those of `performance.now()`. */
async function startRelay(file, pid, seed) {
  const { child, lines } = start(file, [`${pid}`, `${seed}`]);
  await lines.next();
  const waiting = new Map();
  let token = 0;
  const ask = (words) =>
    new Promise((resolve) => {
      waiting.set(`${++token}`, resolve);
      child.stdin.write(`${token} ${words}\n`);
    });
  const answerAll = async () => {
    for await (const line of { [Symbol.asyncIterator]: () => lines }) {
      const [answered, nanoseconds] = line.split(' ');
      waiting.get(answered)(toPerformanceTime(nanoseconds));
      waiting.delete(answered);
    }
  };
  answerAll();
  return {
    /** Changes how a flow is treated: the members of `struct flow`. Resolves with the time when it was done. */
    set: (flow, values) =>
      ask(
        `set ${flow} ${Object.entries(values)
          .map((pair) => pair.join('='))
          .join(' ')}`,
      ),
    /** When the last segment of the peer arrived at our host. */
    lastArrival: (flow) => ask(`get ${flow}`),
    pid: child.pid,
  };
}

/** Both clocks are CLOCK_MONOTONIC on Linux. */
const clockOffset = Number(process.hrtime.bigint()) / 1e6 - performance.now();
const toPerformanceTime = (nanoseconds) => Number(nanoseconds) / 1e6 - clockOffset;
