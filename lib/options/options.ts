// Reading and writing the options of one socket by the names of the catalogue.

import type { OptionName, OptionValues, SocketOptions } from '../catalogue';
import { descriptorOf, putBytes, putWord, typeError } from '../given';
import type { SocketLike } from '../socket';
import type { Option } from './codec';
import { encode, optionNamed, optionsToTry, writableOption } from './option';
import { after, answered, decodeAt, read, readWhatAnswers, requireTcp, write } from './record';

export function getOption<Name extends OptionName>(
  socket: SocketLike,
  name: Name,
): OptionValues[Name] {
  const option = optionNamed(name, 'getsockopt');
  read(socket, [option]);
  return decodeAt(0, option) as OptionValues[Name];
}

export function getOptions(
  socket: SocketLike,
  names?: readonly OptionName[],
): Partial<OptionValues> {
  if (names !== undefined && !Array.isArray(names)) {
    throw typeError('names', 'an array of option names', names);
  }
  // A Set: the scratch buffer has room for every option once.
  const wanted =
    names === undefined
      ? optionsToTry()
      : [...new Set(names)].map((name) => optionNamed(name, 'getsockopt'));
  if (names === undefined) readWhatAnswers(socket, wanted);
  else read(socket, wanted);

  const values: Record<string, unknown> = {};
  let at = 0;
  for (const option of wanted) {
    if (answered(at)) values[option.name] = decodeAt(at, option);
    at = after(at, option);
  }
  return values as Partial<OptionValues>;
}

export function setOptions(socket: SocketLike, options: SocketOptions): void {
  const draft = draftOf(options);
  const fd = descriptorOf(socket);
  const { wanted, values, count } = draft;
  if (count > 0 && wanted[0]?.tcpOnly && values[0] !== 0) requireTcp(fd, wanted[0]);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { level, option } = wanted[i] as Option;
    const value = values[i] as number | Uint8Array;
    at =
      typeof value === 'number'
        ? putWord(at, level, option, value)
        : putBytes(at, level, option, value);
  }
  spare = draft;
  write(fd, count);
}

export function checkOptions(options: SocketOptions): void {
  draftOf(options);
}

function draftOf(options: SocketOptions): Draft {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw typeError('options', 'an object of options', options);
  }
  const draft = newDraft();
  for (const name in options) {
    if (!hasOwn.call(options, name)) continue;
    add(draft, name, options[name as keyof SocketOptions]);
  }
  return draft;
}

const hasOwn = Object.prototype.hasOwnProperty;

/** Checked values on their way to the kernel, in the order of writing. */
interface Draft {
  readonly wanted: Option[];
  readonly values: (number | Uint8Array)[];
  count: number;
}

/** A draft whose arrays have grown already: growing them takes as long as a system call. */
let spare: Draft | undefined;

/** An empty draft; one of its own for a call that a getter of the caller's makes within a call. */
function newDraft(): Draft {
  const draft = spare ?? { wanted: [], values: [], count: 0 };
  spare = undefined;
  draft.count = 0;
  return draft;
}

/** Adds a value, checked, in its option's place in the catalogue; `undefined` is left alone. */
function add(draft: Draft, name: string, value: unknown): void {
  if (value === undefined) return;
  const option = writableOption(name);
  const encoded = encode(value, option, name);
  const { wanted, values } = draft;
  let place = draft.count++;
  for (; place > 0 && (wanted[place - 1] as Option).order > option.order; place--) {
    wanted[place] = wanted[place - 1] as Option;
    values[place] = values[place - 1] as number | Uint8Array;
  }
  wanted[place] = option;
  values[place] = encoded;
}
