// Proves that on Windows the right socket is found and the right values arrive: node.exe in Wine tunes one of several
// connections, and the Linux kernel shows which one has changed, and how.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  changes,
  getInt,
  IPPROTO_TCP,
  referenceAddon,
  SO_KEEPALIVE,
  SOL_SOCKET,
  setInt,
  snapshot,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} from '../../../support/reference-addon';

/** Set by test/lanes/windows/run.mjs: the paths of Wine, the copy of the checkout and each node.exe. */
const { WINELOADER = '', WINDOWS_CHECKOUT = '', WINDOWS_NODES = '{}' } = process.env;
const nodes = Object.entries(JSON.parse(WINDOWS_NODES) as Record<string, string>);

type Ports = readonly [local: number, remote: number];

/** The inode of the kernel's socket with these ports, by proc_net_tcp(5). */
function inodeOf([local, remote]: Ports): string {
  const port = (address = '') => Number.parseInt(address.split(':')[1] as string, 16);
  const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  const found = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, from, to]) => port(from) === local && port(to) === remote);
  if (found.length !== 1) throw new Error(`${found.length} sockets with ports ${local}, ${remote}`);
  return found[0]?.[9] as string;
}

/** A descriptor of that socket, taken from a process of Wine. */
function take(ports: Ports): number {
  const wanted = `socket:[${inodeOf(ports)}]`;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    let fds: string[] = [];
    try {
      fds = readdirSync(`/proc/${pid}/fd`);
    } catch {
      // The process has ended meanwhile.
    }
    for (const fd of fds) {
      try {
        if (readlinkSync(`/proc/${pid}/fd/${fd}`) !== wanted) continue;
      } catch {
        // The descriptor was closed meanwhile.
        continue;
      }
      const taken = referenceAddon.take(Number(pid), Number(fd));
      if (taken < 0) throw new Error(`pidfd_getfd: errno ${-taken}`);
      return taken;
    }
  }
  throw new Error(`no process holds ${wanted}`);
}

const keepAliveOf = (fd: number) => [
  getInt(fd, SOL_SOCKET, SO_KEEPALIVE),
  getInt(fd, IPPROTO_TCP, TCP_KEEPIDLE),
  getInt(fd, IPPROTO_TCP, TCP_KEEPINTVL),
  getInt(fd, IPPROTO_TCP, TCP_KEEPCNT),
];

/** The timer of the socket in ss(8), or an empty text. */
function timerOf([local, remote]: Ports): string | undefined {
  const filter = ['sport', '=', `:${local}`, 'and', 'dport', '=', `:${remote}`];
  const line = execFileSync('ss', ['-tnoH', ...filter], { encoding: 'utf8' });
  return /timer:\((\w+,[^,]+)/.exec(line)?.[1];
}

/** A program in node.exe that executes commands. */
class Program {
  #control!: net.Socket;
  #answers!: AsyncIterator<string>;
  #lines!: Interface;

  static async start(node: string, output: string): Promise<Program> {
    const program = new Program();
    const file = openSync(output, 'w');
    const path = join(WINDOWS_CHECKOUT, 'test/lanes/windows/kernel/connections.cjs');
    spawn(WINELOADER, [node, path], { stdio: ['ignore', file, file] });
    closeSync(file);
    for (let tries = 0; tries < 200; tries++) {
      const port = /^(\d+)\r?\n/.exec(readFileSync(output, 'utf8'))?.[1];
      if (port !== undefined) {
        program.#control = net.connect(Number(port), '127.0.0.1');
        await once(program.#control, 'connect');
        program.#lines = createInterface({ input: program.#control });
        program.#answers = program.#lines[Symbol.asyncIterator]();
        return program;
      }
      await sleep(100);
    }
    throw new Error(`node.exe did not start: ${readFileSync(output, 'utf8')}`);
  }

  async ask<T>(...command: unknown[]): Promise<T> {
    this.#control.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('node.exe ended');
    return JSON.parse(value) as T;
  }

  end(): void {
    this.#control.on('error', () => {}).write('["exit"]\n');
    this.#lines.close();
  }
}

test('there is a node.exe to run', () => {
  expect(nodes.length).toBeGreaterThan(0);
});

describe.each(nodes)('node.exe %s', (version, node) => {
  const TUNED = { enable: true, initialDelay: 123_000, interval: 7_000, count: 4 };
  const CHANGED = [
    [SOL_SOCKET, SO_KEEPALIVE],
    [IPPROTO_TCP, TCP_KEEPIDLE],
    [IPPROTO_TCP, TCP_KEEPINTVL],
    [IPPROTO_TCP, TCP_KEEPCNT],
  ].map(([level, name]) => `${level}/${name}`);
  let program: Program;
  let ends: readonly Ports[];
  let fds: readonly number[];
  beforeAll(async () => {
    program = await Program.start(node, join(WINDOWS_CHECKOUT, `../kernel-${version}.log`));
    ends = await program.ask<Ports[]>('open', 4);
    fds = ends.map(take);
  });
  afterAll(() => {
    program?.end();
    for (const fd of fds ?? []) referenceAddon.close(fd);
  });

  // Clients have even numbers, accepted sockets odd ones.
  test.each([2, 5])(
    'tuning end %i of 8 changes only this socket, to these values',
    async (tuned) => {
      const before = fds.map(snapshot);
      expect(timerOf(ends[tuned] as Ports)).toBeUndefined();
      await program.ask('call', 'setKeepAlive', tuned, TUNED);
      const after = fds.map((fd, i) => changes(fd, before[i] as Map<string, string>));
      const keys = after.map((lines) => lines.map((line) => line.split(': ')[0]));
      expect(keys).toEqual(ends.map((_, i) => (i === tuned ? CHANGED : [])));
      expect(keepAliveOf(fds[tuned] as number)).toEqual([1, 123, 7, 4]);
      expect(timerOf(ends[tuned] as Ports)).toMatch(/^keepalive,(2min|1min5\d)/);
      expect(await program.ask('call', 'getKeepAlive', tuned)).toEqual(TUNED);
    },
  );

  test('reads values that another process has set', async () => {
    const fd = fds[6] as number;
    setInt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 41);
    setInt(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
    setInt(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
    const read = { enable: false, initialDelay: 41_000, interval: 5_000, count: 3 };
    expect(await program.ask('call', 'getKeepAlive', 6)).toEqual(read);
    expect(await program.ask('call', 'getKeepAlive', 7)).not.toEqual(read);
  });
});
