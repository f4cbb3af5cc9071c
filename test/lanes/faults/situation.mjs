// Tests one function in its own process: runs it once to record its system calls, then once for each fault of each call
// in a fresh situation, and judges the outcome. Announces each row as a line of JSON on descriptor 3 before it runs, so
// that run.mjs knows which row crashed or hung.

import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ANSWERS, COOKIE_ERRORS, ERRORS, OF_ANY_LENGTH } from './errors.mjs';
import { asNew, changes, descriptors, getInt, referenceAddon, snapshot } from './kernel.mjs';
import { plants } from './planted-faults.mjs';
import { fdOf, KEYS, scenarios } from './scenarios.mjs';

const [name, from = '0'] = process.argv.slice(2);
const { FAULT_ONLY = '', FAULT_PLANT } = process.env;
const scenario = scenarios.find((one) => one.name === name);
const require = createRequire(import.meta.url);
const injector = require('./build/inject.node');
const dist = fileURLToPath(new URL('../../../dist', import.meta.url));

const say = (line) => writeSync(3, `${JSON.stringify(line)}\n`);

/** Two names of the same error number. */
const ALIASES = { ENOTSUP: 'EOPNOTSUPP', EWOULDBLOCK: 'EAGAIN' };
const sameCode = (code, other) => (ALIASES[code] ?? code) === (ALIASES[other] ?? other);

/** Uncaught errors: a row must not cause any. */
const loose = [];
const catchLoose = () => {
  process.on('uncaughtException', (error) => loose.push(error));
  process.on('unhandledRejection', (error) => loose.push(error));
};

/** Loads the package anew: nothing is cached yet. */
function freshApi() {
  for (const path of Object.keys(require.cache)) {
    if (path.startsWith(dist)) delete require.cache[path];
  }
  // The memory of a new addon must not look like results.
  const { dlopen } = process;
  process.dlopen = (module, path) => {
    dlopen(module, path);
    if (module.exports.scratch) new Uint8Array(module.exports.scratch).fill(0x5a);
  };
  const api = {
    ...require(`${dist}/index.js`),
    ...(scenario.entry === undefined ? {} : require(`${dist}/${scenario.entry}.js`)),
  };
  process.dlopen = dlopen;
  return FAULT_PLANT === undefined ? api : plants[FAULT_PLANT](api);
}

const listening = net.createServer().listen(0, '127.0.0.1');
await once(listening, 'listening');

/** A connection with data sent in both directions. */
async function connected() {
  const accepting = once(listening, 'connection');
  const client = net.connect(listening.address().port, '127.0.0.1');
  const [[accepted]] = await Promise.all([accepting, once(client, 'connect')]);
  for (const socket of [client, accepted]) socket.on('error', () => {});
  client.write(Buffer.alloc(1_000));
  accepted.write(Buffer.alloc(500));
  await Promise.all([once(client, 'data'), once(accepted, 'data')]);
  return { client, accepted };
}

const bystander = await connected();

async function arrange(api) {
  const stage = { ...(await connected()), listening, sockets: [], closing: [] };
  stage.sockets.push(stage.client, stage.accepted);
  await scenario.arrange?.(stage);
  await scenario.prepare?.(api, stage);
  return stage;
}

async function clear(stage) {
  for (const socket of stage.sockets) {
    if (socket.closed) continue;
    socket.on('error', () => {});
    const closed = once(socket, 'close');
    if (socket.destroyed) await closed;
    else {
      socket.resetAndDestroy();
      await closed;
    }
  }
  for (const close of stage.closing) await close();
}

/** Whether the options of the situation can be read before the call. */
const targetOf = (stage) => (scenario.target ?? (({ client }) => fdOf(client)))(stage);
const isMadeByCall = scenario.makesSocket === true;

const LONGEST = 4_000;

/** The outcome of a call: `{ value }`, `{ error }` or `{ hangs }`. */
async function outcomeOf(call) {
  try {
    const result = call();
    if (typeof result?.then !== 'function') return { value: result };
    let timer;
    const never = new Promise((resolve) => {
      timer = setTimeout(resolve, LONGEST, { hangs: true });
    });
    const outcome = await Promise.race([result.then((value) => ({ value })), never]);
    clearTimeout(timer);
    return outcome;
  } catch (error) {
    return { error };
  }
}

/** Makes the call with the injector armed: until it returns, or until an asynchronous call is settled. */
async function callWith(api, stage, [call, first, count, fault]) {
  const calling = () => scenario.act(api, stage);
  injector.inject(call, first, count, fault);
  let ended;
  const outcome = await outcomeOf(() => {
    let result;
    try {
      result = calling();
    } finally {
      if (typeof result?.then !== 'function') ended = injector.end();
    }
    return result;
  });
  return { ...outcome, log: ended ?? injector.end() };
}

/** Flattens a value to paths and primitive values. */
function flatten(value, path = '', into = new Map()) {
  if (typeof value === 'bigint') into.set(path, `${value}n`);
  else if (Buffer.isBuffer(value)) into.set(path, value.toString('hex'));
  else if (value instanceof Error) into.set(path, value.code ?? value.message);
  else if (typeof value === 'object' && value !== null) {
    if (Array.isArray(value) || ArrayBuffer.isView(value)) {
      into.set(path === '' ? 'length' : `${path}.length`, value.length);
    }
    for (const [key, member] of Object.entries(value)) {
      flatten(member, path === '' ? key : `${path}.${key}`, into);
    }
  } else into.set(path, value);
  return into;
}

const isUnknown = (value) => value === null || Number.isNaN(value);

/** Whether the value marks a member, or an object around it, as not known. */
function isSaidUnknown(got, path) {
  if (path === '') return false;
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const part = path.slice(0, end);
    if (got.has(part)) return isUnknown(got.get(part));
  }
  return false;
}

/** Times, rates and estimates, and windows that depend on them: they differ in each run. */
const UNSTEADY =
  /time|expires|count$|rtt|rto|ato|pacing|rate|window|wnd|cwnd|busy|last_|incomingCpu|thresh|bbr_|owners.*fd$/i;

const isUnsteady = (path) => scenario.isUnsteady === true && UNSTEADY.test(path);

/** The differences from a run without faults. */
function deviations(value, want) {
  const got = flatten(value);
  return [...want]
    .filter(([path, wanted]) => !Object.is(got.get(path), wanted))
    .map(([path]) => path);
}

/** The result of a call without faults: the parts that are the same in three situations. */
async function baselineOf() {
  let calls;
  let want;
  let value;
  let held;
  for (let run = 0; run < 3; run++) {
    const api = freshApi();
    const stage = await arrange(api);
    const { log, ...outcome } = await callWith(api, stage, [-1, 1, 0, 0]);
    if (outcome.error !== undefined) throw outcome.error;
    if (outcome.hangs) throw new Error('it never settled, though nothing failed');
    calls ??= log;
    value = outcome.value;
    const flat = new Map([...flatten(value)].filter(([path]) => !isUnsteady(path)));
    want = new Map(
      want === undefined ? flat : [...want].filter(([k, v]) => Object.is(flat.get(k), v)),
    );
    held = heldBy(stage);
    await clear(stage);
  }
  return { calls, want, value, held };
}

const chosen = () => scenario.chooses ?? scenario.sets?.() ?? [];

/** The kernel's values of the options that the function sets. */
function heldBy(stage) {
  if (scenario.chooses === undefined && scenario.sets === undefined) return new Map();
  const fd = targetOf(stage);
  return new Map(chosen().map(({ level, name, key }) => [key, getInt(fd, level, name)]));
}

const baseline = await baselineOf();
if (scenario.sets !== undefined) {
  for (const { key, value } of scenario.sets()) {
    if (baseline.held.get(key) === value) continue;
    throw new Error(`without faults, ${key} is ${baseline.held.get(key)}, not ${value}`);
  }
}

const describe = ({ call, first, second, text }) => {
  const call_ = injector.names[call];
  if (call_ === 'setsockopt' || call_ === 'getsockopt') return `${call_} ${first}/${second}`;
  return text === '' ? call_ : `${call_} ${text}`;
};

/** The faults of each recorded call. */
function rowsOf({ calls }) {
  const byCall = new Map();
  for (const one of calls) byCall.set(one.call, [...(byCall.get(one.call) ?? []), one]);
  const rows = [];
  for (const [call, made] of byCall) {
    const callName = injector.names[call];
    // If the number of calls varies, only this many are made in each run.
    const last = Math.min(made.length, scenario.onlyFirst?.[callName] ?? made.length);
    const middle = Math.ceil(last / 2);
    const places = last <= 6 ? Array.from({ length: last }, (_, i) => i + 1) : [1, 2, middle, last];
    for (const { name: error, lasts } of ERRORS[callName]) {
      const isAnswer = error in ANSWERS;
      const fault = ANSWERS[error] ?? constants.errno[error] ?? OTHERS[error];
      const counts = places.map((first) => [first, 1, '']);
      counts.push([1, 2, ' twice']);
      counts.push(lasts ? [1, 1_000_000, ' for ever'] : [1, 100, ' 100 times']);
      for (const [first, count, mode] of counts) {
        const key = `${name} ${callName}#${first} ${error}${mode}`;
        const detail = describe(made[first - 1]);
        if (detail === OWN_SOCKET && !COOKIE_ERRORS.has(error)) continue;
        const isOption = callName === 'getsockopt' && !scenario.isRaw;
        if (isOption && isAnswer && !OF_ANY_LENGTH.has(detail)) continue;
        // Later calls may be for other options, which the kernel always writes completely.
        if (isOption && isAnswer && count > 1) continue;
        const row = { key, call: callName, error, isAnswer, first, count, mode, detail };
        rows.push({ ...row, fault, plan: [call, first, count, fault], option: made[first - 1] });
      }
    }
  }
  return rows;
}
/** SO_COOKIE: the addon recognizes its own sockets by it before it uses or closes them. */
const OWN_SOCKET = 'getsockopt 1/57';
/** Error numbers of Linux that Node does not name. */
const OTHERS = { ESOCKTNOSUPPORT: 94 };

/** Whether the kernel says that it, or a socket of this kind, does not have the option. */
const saysNo = ({ call, error }) =>
  call === 'getsockopt' && ['ENOPROTOOPT', 'EOPNOTSUPP', 'EINVAL'].includes(error);

/** Whether an error says which call failed, and how. */
function refusalFaults(error, row, api) {
  const { code, syscall, option } = error;
  const faults = [];
  // An error that follows from a reply of the kernel names no failed call.
  if (
    saysNo(row) &&
    (code === 'ENOPROTOOPT' || /only TCP sockets support it/.test(error.message))
  ) {
    return faults;
  }
  if (!(error instanceof Error) || typeof code !== 'string') return [`threw ${error}`];
  if (scenario.means?.(row) === code) return faults;
  if (!row.isAnswer && !sameCode(code, row.error)) {
    faults.push(`its code is ${code}, and the call failed with ${row.error}`);
  }
  if (row.isAnswer) return faults;
  // For an exchange of several calls, the error names the interface, sock_diag(7).
  const expected = scenario.names ?? row.call;
  if (syscall !== row.call && syscall !== expected) {
    faults.push(`it names ${syscall}, and ${row.call} failed`);
  } else if (scenario.names === undefined && row.call.endsWith('sockopt') && row.count === 1) {
    const { first, second } = row.option;
    const held = option === undefined ? undefined : api.constants[option];
    if (held !== second && option !== `${first}/${second}`) {
      faults.push(`it names ${option}, and the call was for ${first}/${second}`);
    }
  }
  return faults;
}

/** The kernel's errors for an option that it, or this kind of socket, does not have. */
const LACKS = ['ENOPROTOOPT', 'EOPNOTSUPP'];

/** Whether the fault reports this option as missing: then the result leaves it out. */
function isLacking(row, key) {
  return LACKS.includes(row.error) && row.call.endsWith('sockopt') && row.refused.has(key);
}

/** Whether the socket holds the requested options: all without an error, otherwise those in `applied`. */
function appliedFaults(stage, before, errors, isAccepted, row) {
  if (chosen().length === 0 || (isMadeByCall && stage.tuned === undefined)) return [];
  const faults = [];
  const fd = targetOf(stage);
  const applied = new Set(errors.flatMap((error) => error.applied ?? []).map((one) => KEYS[one]));
  for (const { level, name, key } of chosen()) {
    const held = getInt(fd, level, name);
    const isSet = errors.length === 0 || applied.has(key);
    const should = isSet ? baseline.held.get(key) : before.get(key);
    if (held === should || (errors.length === 0 && isAccepted)) continue;
    if (errors.length === 0 && row !== undefined && isLacking(row, key)) continue;
    if (errors.length > 0 && scenario.setsTheRest && held === baseline.held.get(key)) continue;
    const said = errors.length === 0 ? 'no error' : `applied: ${errors.flatMap((e) => e.applied)}`;
    faults.push(`option ${key} is ${held} and not ${should} (${said})`);
  }
  return faults;
}

function judgeValue(outcome, row, stage) {
  const { value } = outcome;
  const { want } = baseline;
  if (scenario.judge !== undefined) {
    const errno = row.isAnswer ? undefined : row.fault;
    const isRefusal = (error) => refusalFaults(error, row, stage.api);
    return { text: 'told', faults: scenario.judge({ value, want, row, errno, isRefusal }) };
  }
  const got = flatten(value);
  const faults = [];
  let text = 'the right value';
  for (const path of deviations(value, want)) {
    if (isSaidUnknown(got, path)) {
      text = 'null where it could not be asked';
      continue;
    }
    if (scenario.mayOmit && !got.has(path)) {
      text = 'left out';
      continue;
    }
    const more = { row, path, value, baseline: baseline.value, stage };
    if (scenario.accepts?.(more)) {
      if (text === 'the right value') text = 'another value, which says so';
      continue;
    }
    faults.push(`${path || 'it'} is ${got.get(path)}, and without the fault ${want.get(path)}`);
  }
  return { text, faults };
}

/** Whether the function works afterwards as before. */
async function judgeAgain(api, stage, outcome, row) {
  if (scenario.again !== undefined) return scenario.again(api, stage, outcome, row);
  // The package may remember that the kernel does not have an option.
  if (row.call === 'getsockopt' && LACKS.includes(row.error)) return [];
  const { error, value, hangs } = await outcomeOf(() => scenario.act(api, stage));
  if (hangs) return ['later, it never settles'];
  if (error !== undefined) return [`later, it threw ${error.message}`];
  const faults = deviations(value, baseline.want).map(
    (path) =>
      `later, ${path || 'it'} is ${flatten(value).get(path)}, and without the fault ${baseline.want.get(path)}`,
  );
  return [...faults, ...appliedFaults(stage, new Map(), [], false)];
}

function differences(before, after) {
  return [
    ...[...after].filter(([fd]) => !before.has(fd)).map(([fd, is]) => `${fd} is left open (${is})`),
    ...[...before]
      .filter(([fd, was]) => after.get(fd) !== was)
      .map(([fd, was]) => `${fd} was ${was}`),
  ].map((text) => `descriptor ${text}`);
}

/** Runs a row; `undefined` if the system call was not made this time. */
async function run(row) {
  const open = descriptors();
  const api = freshApi();
  const stage = await arrange(api);
  Object.assign(stage, { api, injector });
  const before = new Map();
  let look;
  if (!isMadeByCall && !scenario.skipsSnapshot) {
    look = snapshot(targetOf(stage));
    for (const [key, value] of heldBy(stage)) before.set(key, value);
  } else if (isMadeByCall) {
    for (const { level, name, key } of chosen()) before.set(key, asNew(level, name));
  }
  const others = snapshot(fdOf(bystander.client));
  loose.length = 0;

  const { log, ...outcome } = await callWith(api, stage, row.plan);
  const hits = log.calls.filter(({ fault }) => fault !== 0);
  row.refused = new Set(hits.map(({ first, second }) => `${first}/${second}`));
  const faults = [];
  let text;
  if (outcome.hangs) {
    text = 'never settles';
    faults.push(`it did not settle within ${LONGEST} ms`);
  } else if (outcome.error !== undefined) {
    text = `throws ${describeError(outcome.error, row)}`;
    faults.push(...refusalFaults(outcome.error, row, api));
    faults.push(...appliedFaults(stage, before, [outcome.error], false, row));
  } else {
    const said = scenario.says?.(outcome) ?? [];
    const { text: told, faults: found } = judgeValue(
      said.length > 0 ? { value: baseline.value } : outcome,
      row,
      stage,
    );
    text = told;
    faults.push(...found);
    if (said.length > 0) {
      text = `says ${describeError(said[0], row)}`;
      faults.push(...refusalFaults(said[0], row, api));
    }
    if (outcome.value?.error instanceof Error) {
      text = `'error' event: ${describeError(outcome.value.error, row)}`;
    }
    faults.push(
      ...appliedFaults(stage, before, said, told === 'another value, which says so', row),
    );
    if (scenario.verify !== undefined) faults.push(...(await scenario.verify(stage, outcome)));
  }
  if (look !== undefined && !stage.client.destroyed) {
    const except = new Set(chosen().map(({ key }) => key));
    faults.push(...changes(targetOf(stage), look, except));
  }
  faults.push(
    ...changes(fdOf(bystander.client), others).map((text_) => `another socket: ${text_}`),
  );
  if (!outcome.hangs) faults.push(...(await judgeAgain(api, stage, outcome, row)));
  await clear(stage);
  let left = differences(open, descriptors());
  // Closing in another thread, or by an event, may take a moment.
  for (let i = 0; left.length > 0 && i < 20; i++) {
    await sleep(5);
    left = differences(open, descriptors());
  }
  if (row.detail === OWN_SOCKET && left.every((one) => /left open \(socket:/.test(one))) {
    // The addon only closes what is certainly its own.
    if (left.length > 0) text += ', and leaves open what it could not identify';
  } else faults.push(...left);
  for (const error of loose) faults.push(`uncaught: ${error?.stack ?? error}`);
  return hits.length === 0 ? undefined : { text, faults };
}

function describeError(error, row) {
  const code = sameCode(error.code, row.error) ? 'the error' : error.code;
  return `${code}, ${error.syscall ?? error.message}`;
}

if (baseline.calls.lost > 0)
  throw new Error(`more calls than inject.c logs: ${baseline.calls.lost}`);
// The reference addon makes the same calls, and is not the addon under test: its own must not fail.
injector.inject(injector.names.indexOf('getsockopt'), 1, 1_000_000, constants.errno.EPERM);
const unharmed = referenceAddon.get(fdOf(bystander.client), 1, 9, Buffer.alloc(4));
const seen = injector.end().calls.length;
if (unharmed !== 4 || seen > 0) throw new Error('calls of other addons are made to fail too');

catchLoose();
say({ kind: 'calls', calls: baseline.calls.calls.map(describe) });
const rows = rowsOf(baseline.calls).filter(
  ({ key }) => FAULT_ONLY === '' || key === FAULT_ONLY || key.startsWith(`${FAULT_ONLY} `),
);
for (const [index, row] of rows.entries()) {
  if (index < Number(from)) continue;
  const { key, call, error, mode, first, detail } = row;
  say({ kind: 'row', index, key, call, error, mode, first, detail });
  let result;
  try {
    result = await run(row);
    // Another thread or process may have changed the order of calls: once more.
    result ??= await run(row);
  } catch (error) {
    console.error(error);
    process.exit(70);
  }
  say({ kind: 'outcome', ...(result ?? { text: 'not reached' }) });
}
say({ kind: 'done' });
process.exit(0);
