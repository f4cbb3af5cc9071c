// The names that the docs, the types, --help, the errors and the code use are the same ones. contracts-numbers.test.ts does
// that for numbers. Other tests compare the pages of metrics, problems and TCP_INFO with the code.

import { PassThrough } from 'node:stream';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import * as heartbeat from '../../dist/heartbeat.js';
import * as index from '../../dist/index.js';
import * as metrics from '../../dist/metrics.js';
import { rows } from '../../lib/catalogue/catalogue';
import * as connectionsCommand from '../../lib/cli/commands/connections';
import * as defaultsCommand from '../../lib/cli/commands/defaults';
import * as metricsCommand from '../../lib/cli/commands/metrics';
import * as planCommand from '../../lib/cli/commands/plan';
import * as watchCommand from '../../lib/cli/commands/watch';
import { problemCodes } from '../../lib/connections/problems';
import { undetectableProblems } from '../../lib/connections/undetectable-problems';
import { channels } from '../../lib/core/channels';
import manifest from '../../package.json';
import {
  docs,
  eachNode,
  filesBelow,
  library,
  membersOf,
  pages,
  read,
  wordsOf,
} from '../support/sources';

const ENTRY_POINTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'socket-options': index,
  'socket-options/heartbeat': heartbeat,
  'socket-options/metrics': metrics,
};

/** The public values of an entry point. */
const exportsOf = (entry: string) =>
  Object.keys(ENTRY_POINTS[entry] ?? {}).filter((name) => !/^(internal|default$|__)/.test(name));
/** Node 22 and later give a CommonJS module the name 'module.exports', too. */
const publicNames = Object.keys(ENTRY_POINTS)
  .flatMap(exportsOf)
  .filter((name) => name !== 'module.exports');

/** The code spans of the first cells of all tables in some pages. */
const firstCells = (paths: readonly string[]) =>
  paths
    .flatMap((path) => (pages.get(path) ?? '').split('\n'))
    .filter((line) => line.startsWith('| '))
    .flatMap((line) => [...(line.split(/(?<!\\)\|/)[1] as string).matchAll(/`([^`]+)`/g)])
    .map(([, code]) => code as string);

describe('exported names', () => {
  test('each is in the docs', () => {
    expect(publicNames.length).toBeGreaterThan(35);
    const isNamed = (name: string) => new RegExp(`\`[^\`\\n]*\\b${name}\\b[^\`\\n]*\``).test(docs);
    expect(publicNames.filter((name) => !isNamed(name))).toEqual([]);
  });

  test('the table of functions has no other names', () => {
    const called = firstCells(['README.md', 'docs/functions.md'])
      .map((code) => /^(?:new )?(\w+)\(/.exec(code)?.[1])
      .filter((name) => name !== undefined && name !== 'socket.setKeepAlive');
    expect(called.length).toBeGreaterThan(25);
    expect(called.filter((name) => !publicNames.includes(name as string))).toEqual([]);
  });

  test('every import in the docs and examples is one of them', () => {
    const examples = filesBelow('examples', '.mjs').map(read);
    const imports = [docs, ...examples].flatMap((text) => [
      ...text.matchAll(/import (?:\* as \w+|{([^}]*)}) from '(socket-options[^']*)'/g),
    ]);
    expect(imports.length).toBeGreaterThan(50);
    for (const [whole, names = '', entry = ''] of imports) {
      const wanted = names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
      expect(exportsOf(entry), whole).toEqual(expect.arrayContaining(wanted));
    }
  });

  test('package.json and docs/architecture.md have the same entry points', () => {
    const entries = Object.keys(manifest.exports)
      .filter((path) => path !== './package.json')
      .map((path) => path.replace(/^\./, 'socket-options'));
    const page = pages.get('docs/architecture.md') as string;
    const table = firstCells(['docs/architecture.md']).filter((code) =>
      /^socket-options/.test(code),
    );
    expect(page).toContain('## Entry points and bundles');
    expect(table.toSorted()).toEqual(entries.toSorted());
  });
});

test('examples/README.md has a row for each program, and each program says how it is run', () => {
  const programs = ['.mjs', '.sh']
    .flatMap((ending) => filesBelow('examples', ending))
    .map((path) => path.replace(/^examples[\\/]/, ''))
    .filter((name) => name !== 'register-app.mjs' || './register' in manifest.exports);
  const page = pages.get('examples/README.md') as string;
  const rows = [...page.matchAll(/^\| \[([\w.-]+\.(?:mjs|sh))\]\(\1\) \|/gm)].map(
    ([, name]) => name,
  );
  expect(rows.toSorted()).toEqual(programs.toSorted());
  const silent = programs.filter((name) => {
    const [header = ''] = read(`examples/${name}`).split(/^(?!\/\/|#)/m);
    return name !== 'first-look.mjs' && !new RegExp(`(?:node|bin/|register) ?${name}`).test(header);
  });
  expect(silent).toEqual([]);
});

const UNKNOWN = { zzzzzz: 1 } as never;
/** How each interface of options is refused a member that it does not have. */
const REFUSALS: Readonly<Record<string, () => unknown>> = {
  TuneSocketsOptions: () => index.tuneSockets(UNKNOWN),
  DeadPeerOptions: () => index.setDeadPeerTimeout(0, 20_000, UNKNOWN),
  PlanOptions: () => index.planDeadPeerTimeout(20_000, UNKNOWN),
  KeepAliveOptions: () => index.setKeepAlive(0, UNKNOWN),
  OpenSocketOptions: () => index.openSocket(UNKNOWN),
  ConnectionFilter: () => index.listConnections(UNKNOWN),
  ConnectionWatchOptions: () => index.watchClosedConnections(UNKNOWN),
  HeartbeatOptions: () => new heartbeat.Heartbeat(new PassThrough(), UNKNOWN),
  PeerRegistryOptions: () => new heartbeat.PeerRegistry(UNKNOWN),
  TcpMetricsOptions: () => new metrics.TcpMetrics(UNKNOWN),
};

/** The members that the error for an unknown one lists. */
function knownMembers(refuse: () => unknown): string[] {
  try {
    refuse();
  } catch (error) {
    const [, list] = /\(known: ([^;]*).*\)$/.exec((error as Error).message) ?? [];
    if (list !== undefined) return list.split(', ');
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('objects of options', () => {
  test.each(Object.entries(REFUSALS))(
    '%s: the type and the check have the same members',
    (name, refuse) => {
      expect(
        membersOf(name)
          .map((member) => member.name)
          .toSorted(),
      ).toEqual(knownMembers(refuse).toSorted());
    },
  );

  /** The calls in the table of functions that show the members of their options. */
  const SIGNATURES = {
    tuneSockets: 'TuneSocketsOptions',
    openSocket: 'OpenSocketOptions',
    Heartbeat: 'HeartbeatOptions',
    PeerRegistry: 'PeerRegistryOptions',
    TcpMetrics: 'TcpMetricsOptions',
  };

  test.each(Object.entries(SIGNATURES))('%s: the table shows every member', (call, name) => {
    const codes = firstCells(['README.md', 'docs/functions.md']);
    const [, shown = ''] =
      codes.map((code) => new RegExp(`\\b${call}\\(.*{ (.*) }`).exec(code)).find(Boolean) ?? [];
    const members = membersOf(name).map(
      (member) => `${member.name}${member.isOptional ? '?' : ''}`,
    );
    expect(shown.split(', ').toSorted()).toEqual(members.toSorted());
  });

  test('a system default has the members that the docs and --help name', () => {
    const members = Object.keys(index.getSystemDefaults().keepAliveCount);
    const named = [...`${docs}\n${defaultsCommand.help}`.matchAll(/{ (value, unit, [^}]*) }/g)];
    expect(named.length).toBeGreaterThanOrEqual(2);
    for (const [, list] of named) {
      expect(list?.split(/,\s+/)).toEqual(members);
    }
  });

  test('the messages of channels have the members that docs/diagnostics.md names', () => {
    const page = pages.get('docs/diagnostics.md') as string;
    for (const { name } of Object.values(channels)) {
      const row = page
        .split('\n')
        .find((line) => line.startsWith(`| \`${String(name)}\``)) as string;
      const [, message = '', type = ''] = /\| ([^|]*) \(`(\w+)`\) \|$/.exec(row) ?? [];
      const named = [...message.matchAll(/`(\w+)`/g)].map(([, member]) => member);
      expect(named.toSorted(), row).toEqual(
        membersOf(type)
          .map((member) => member.name)
          .toSorted(),
      );
    }
  });
});

describe('words', () => {
  test.each([
    ['ZeroWindow', 'docs/dead-peers.md', ['tolerate']],
    ['DeathReason', 'docs/heartbeats.md', []],
  ] as const)('%s: each is explained in %s', (type, path, usual) => {
    const words = wordsOf(type).filter((word) => !(usual as readonly string[]).includes(word));
    expect(words.length).toBeGreaterThan(0);
    expect(words.filter((word) => !pages.get(path)?.includes(`'${word}'`))).toEqual([]);
  });

  test('every policy of a registry is explained in docs/heartbeats.md, and no other', () => {
    const page = pages.get('docs/heartbeats.md') as string;
    const named = [...page.matchAll(/`policy: '([\w-]+)'/g)].map(([, word]) => word as string);
    expect(new Set(named)).toEqual(new Set(wordsOf('PeerPolicy')));
  });
});

describe('codes of errors', () => {
  /** Codes of Node that this package receives and does not throw. */
  const FROM_NODE = [
    ...['ERR_DLOPEN_DISABLED', 'ERR_SOCKET_HANDLE_ADOPTED', 'ERR_SOCKET_ALREADY_BOUND'],
    'ERR_HTTP2_STREAM_CANCEL',
  ];

  /** Codes of warnings. Variables of the environment begin the same way. */
  const WARNING = /^SOCKET_OPTIONS_(?!PREBUILD$|SEARCH$)[A-Z_]+$/;

  /** Whether a code is only compared with that of an error. */
  const isCompared = ({ parent }: ts.Node) =>
    (ts.isBinaryExpression(parent) && /^[!=]==$/.test(parent.operatorToken.getText())) ||
    (ts.isCallExpression(parent) && parent.expression.getText().endsWith('.startsWith'));

  const thrown = new Set<string>();
  for (const file of library.values()) {
    eachNode(file, (node) => {
      if (!ts.isStringLiteralLike(node) || isCompared(node)) return;
      if (/^ERR_[A-Z_]+$/.test(node.text) || WARNING.test(node.text)) thrown.add(node.text);
    });
  }

  /** The table of errors: README.md or docs/errors.md. */
  const table = [
    ...(pages.get('README.md') ?? '').split('\n'),
    ...(pages.get('docs/errors.md') ?? '').split('\n'),
  ]
    .filter((line) => line.startsWith('|'))
    .join('\n');

  test('each code of lib/ is in the table of errors', () => {
    expect(thrown.size).toBeGreaterThan(12);
    expect([...thrown].filter((code) => !table.includes(`\`${code}\``))).toEqual([]);
  });

  test('each code in the docs and in JSDoc is one that lib/ throws, or one of Node', () => {
    const comments = [...library.values()].map((file) => file.getFullText()).join('\n');
    const named = new Set(
      [...`${docs}\n${comments}`.matchAll(/\b(ERR_[A-Z_]+[A-Z])\b/g)].map(([code]) => code),
    );
    // explainDisconnect() explains errors of Node, by their codes.
    const explained = library.get('lib/dead-peer/meanings.ts')?.getFullText() ?? '';
    // A family of codes is named by its beginning: `ERR_SOCKET_*`.
    const codes = [...thrown, ...FROM_NODE];
    const isKnown = (code: string) =>
      codes.some((one) => one === code || one.startsWith(`${code}_`));
    const unknown = [...named].filter((code) => !isKnown(code));
    expect(unknown.filter((code) => !explained.includes(`  ${code}: `))).toEqual([]);
  });
});

describe('the command line', () => {
  const COMMANDS = {
    defaults: defaultsCommand,
    connections: connectionsCommand,
    plan: planCommand,
    watch: watchCommand,
    metrics: metricsCommand,
  };

  test.each(Object.entries(COMMANDS))(
    '%s --help has each option, and no other',
    (_, { help, options }) => {
      const shown = [...help.matchAll(/^ {2}--([\w-]+)/gm)].map(([, name]) => name);
      expect(shown.toSorted()).toEqual(Object.keys(options).toSorted());
      const mentioned = [...help.matchAll(/(?<![\w-])--([a-z][\w-]*)/g)].map(
        ([, name]) => name as string,
      );
      expect(mentioned.filter((name) => !shown.includes(name))).toEqual([]);
    },
  );

  test('--help has each value that is known in advance', () => {
    for (const { help, choices } of [connectionsCommand, planCommand]) {
      for (const [name, values] of Object.entries<readonly string[]>(choices)) {
        if (name === 'state') continue;
        const missing = values.filter((value) => !new RegExp(`[ ,]${value}\\b`).test(help));
        expect(missing, name).toEqual([]);
      }
    }
  });

  test('the docs name only commands and options that exist', () => {
    const calls = [...docs.matchAll(/\bsocket-options (\w+)((?: [^\n`]*)?)/g)].filter(
      ([, command = '']) => command in COMMANDS,
    );
    expect(calls.length).toBeGreaterThan(25);
    for (const [whole, command, rest = ''] of calls) {
      const { options: table } = COMMANDS[command as keyof typeof COMMANDS];
      const options = [...Object.keys(table), 'help'];
      // In a shell the command ends at a pipe or at a comment.
      const [own = ''] = rest.split(/ [|#>;]/);
      for (const [, option] of own.matchAll(/ --([a-z][\w-]*)/g))
        expect(options, whole).toContain(option);
    }
  });

  test('docs/command-line.md names each option of connections, and no option that does not exist', () => {
    const page = pages.get('docs/command-line.md') as string;
    const named = new Set(
      [...page.matchAll(/(?<![\w-])--([a-z][\w-]*)/g)].map(([, name]) => name as string),
    );
    const every = Object.values(COMMANDS).flatMap(({ options }) => Object.keys(options));
    expect([...named].filter((name) => name !== 'help' && !every.includes(name))).toEqual([]);
    const missing = Object.keys(connectionsCommand.options).filter((name) => !named.has(name));
    // An older name of --peer.
    expect(missing).toEqual(['remote']);
  });

  test('docs/command-line.md says which problems each list shows', () => {
    const page = pages.get('docs/command-line.md') as string;
    const problemsIn = (list: string) => {
      const row = page.split('\n').find((line) => line.startsWith(`| ${list}`)) as string;
      const cell = row.split('|')[2] as string;
      return cell.trim() === 'all'
        ? [...problemCodes]
        : problemCodes.filter((code) => cell.includes(`\`${code}\``));
    };
    const found = (
      platform: string,
      interfaceIndex: number | null,
      receiveQueue: number | null,
    ) => {
      const missing = undetectableProblems({ interfaceIndex, receiveQueue }, platform);
      return problemCodes.filter((code) => !missing.includes(code));
    };
    expect(problemsIn('netlink')).toEqual(found('linux', 0, 0));
    expect(problemsIn('`/proc/net/tcp` |')).toEqual(found('linux', null, 0));
    expect(problemsIn('`/proc/net/tcp` of gVisor')).toEqual(found('linux', null, null));
    expect(problemsIn('macOS')).toEqual(found('darwin', null, 0));
    expect(problemsIn('Windows')).toEqual(found('win32', null, null));
  });
});

describe('variables of the environment', () => {
  /** The names that code reads: `process.env.NAME`, `env.NAME`, or a destructured one. */
  function readBy(text: string): string[] {
    const direct = [...text.matchAll(/\benv(?:\.|\[')([A-Z][A-Z_0-9]+)\b/g)].map(
      ([, name]) => name as string,
    );
    const taken = [...text.matchAll(/{([^{}]*)} = process\.env/g)].flatMap(([, names = '']) =>
      names.split(',').map((name) => /[A-Z][A-Z_0-9]+/.exec(name)?.[0] ?? ''),
    );
    return [...direct, ...taken].filter((name) => name !== '');
  }
  const ofLibrary = new Set([...library.values()].flatMap((file) => readBy(file.getFullText())));

  test('each one that lib/ reads is in the docs', () => {
    expect(ofLibrary.size).toBeGreaterThan(5);
    const isNamed = (name: string) => new RegExp(`\`[^\`]*\\b${name}\\b`).test(docs);
    expect([...ofLibrary].filter((name) => !isNamed(name))).toEqual([]);
  });

  test('each one in the docs is read', () => {
    const named = [
      ...docs.matchAll(
        /(?:^|[`\s(])([A-Z][A-Z_]{3,})=|`((?:SOCKET_OPTIONS|PREBUILDS|NO)_[A-Z_]+)`/gm,
      ),
    ]
      .map(([, set, name]) => (set ?? name) as string)
      .filter((name) => !/^SOCKET_OPTIONS_(TUNING|NOT)_/.test(name));
    expect(new Set(named).size).toBeGreaterThan(8);
    const others = ['test', 'scripts', 'bench', 'examples'].flatMap((folder) =>
      ['.ts', '.mts', '.mjs', '.cjs', '.sh'].flatMap((ending) => filesBelow(folder, ending)),
    );
    // This file names a variable that Bun reads.
    const reads = others
      .filter((file) => !file.endsWith('contracts.test.ts'))
      .map(read)
      .join('\n');
    const isRead = (name: string) => ofLibrary.has(name) || new RegExp(`\\b${name}\\b`).test(reads);
    const unread = [...new Set(named)].filter((name) => !isRead(name));
    expect(unread).toEqual(['BUN_OPTIONS']);
  });
});

test("docs/traps.md names the options that follow the system's setting after 'system'", () => {
  const [paragraph = ''] =
    /^- \*\*`'system'`\*\*[\s\S]*?(?=^- )/m.exec(pages.get('docs/traps.md') as string) ?? [];
  const named = [...paragraph.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  const following = Object.entries(rows()).filter(([, row]) => row.linux?.system !== undefined);
  expect(named.toSorted()).toEqual(following.map(([name]) => name).toSorted());
});

describe('systems', () => {
  test('the table of systems has each prebuilt binary', () => {
    const header = docs.split('\n').find((line) => /^\| \| Linux x64, glibc/.test(line)) as string;
    const NAMES = [
      [/Linux ([\w, ]+)/g, 'linux'],
      [/Windows ([\w, ]+)/g, 'win32'],
      [/macOS ([\w, ]+)/g, 'darwin'],
      [/FreeBSD ([\w, ]+)/g, 'freebsd'],
    ] as const;
    const columns = NAMES.flatMap(([pattern, system]) =>
      [...header.matchAll(pattern)].flatMap(([, list = '']) =>
        list
          .split(', ')
          .map((word) => word.trim().replace('ppc64le', 'ppc64'))
          .filter((word) => /^(x64|arm|arm64|ppc64|riscv64|s390x)$/.test(word))
          .map((processor) => `${system}-${processor}`),
      ),
    );
    const prebuilt = filesBelow('prebuilds', '.node').map((path) => path.split(/[\\/]/)[1]);
    expect([...new Set(columns)].toSorted()).toEqual(prebuilt.toSorted());
  });

  test('the docs name the versions of Node that package.json allows and the tests run', () => {
    const { packages } = JSON.parse(read('test/lanes/runtimes/package-lock.json'));
    const tested = Object.keys(packages[''].dependencies)
      .map((name) => /^node-(\d+)$/.exec(name)?.[1])
      .filter((version) => version !== undefined);
    expect(manifest.engines.node).toBe(`>=${tested[0]}`);
    const lists = [...docs.matchAll(/Node (\d\d(?:, \d\d)+ and \d\d)/g)].map(([, list]) => list);
    expect(lists.length).toBeGreaterThan(0);
    for (const list of lists) expect(list?.match(/\d+/g)).toEqual(tested);
    const oldest = [...docs.matchAll(/Node (\d\d) or (?:newer|later)/g)].map(
      ([, version]) => version,
    );
    expect(new Set(oldest)).toEqual(new Set([tested[0]]));
    const ranges = [...docs.matchAll(/Node (\d\d) to (\d\d)/g)].map(([, ...ends]) => ends);
    for (const ends of ranges) expect(ends).toEqual([tested[0], tested.at(-1)]);
  });
});
