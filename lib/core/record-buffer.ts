// The memory that JavaScript and the addon share. It holds options as records, and TCP_INFO behind them.
// A record: level, option, length in bytes, value. A refused record has a negative code as its length. native/addon.h
// has the same layout; the reasons are in docs/decisions/0001-options-as-records.md.

import { addon, binding } from './addon';
import { firstByte } from './byte-order';

/** Words before the first record: descriptor, count, answer. */
const BUFFER_HEADER_WORDS = 4;
/** Where the records end and `TCP_INFO` begins, in bytes. */
const RECORDS_END = 16 * 1024;
/** Words of a record before its value. */
export const RECORD_HEADER_WORDS = 3;
/** The longest value of one option, in bytes. */
export const MAX_VALUE_BYTES = RECORDS_END - 4 * BUFFER_HEADER_WORDS - 4 * RECORD_HEADER_WORDS;

// Kept here, because a lookup in each call takes time.
const writeRecords = addon?.setOptions ?? binding;
const readRecords = addon?.getOptions ?? binding;
const readInfo = addon?.readTcpInfo ?? binding;
const checkReusable = addon?.isReusable ?? binding;

const scratch = addon?.scratch ?? new ArrayBuffer(RECORDS_END);
const descriptor = new Float64Array(scratch, 0, 1);
const count = new Int32Array(scratch, 8, 1);
const answer = new Int32Array(scratch, 12, 1);

/** The records. The buffer must never leave lib/: the addon writes into its memory. */
export const words = new Int32Array(
  scratch,
  BUFFER_HEADER_WORDS * 4,
  (RECORDS_END - BUFFER_HEADER_WORDS * 4) / 4,
);
export const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

/** `TCP_INFO`, behind the records. */
export const tcpInfoWords = new Uint32Array(scratch, RECORDS_END);

/** Reads a 32-bit option of a new socket; or returns a negative code and the system call that failed. */
export function defaultOf(
  level: number,
  option: number,
): { status: number; value: number; syscall: 'socket' | 'getsockopt' } {
  const status = binding().getDefault(level, option);
  const value = answer[0] as number;
  return { status, value, syscall: status < 0 && value === 0 ? 'socket' : 'getsockopt' };
}

/** Sets the first `records` options, up to the first refused one; returns how many were set. */
export function setRecords(fd: number, records: number): number {
  descriptor[0] = fd;
  count[0] = records;
  writeRecords();
  return count[0];
}

/** Reads the first `records` options; returns how many could be read. */
export function getRecords(fd: number, records: number): number {
  descriptor[0] = fd;
  count[0] = records;
  readRecords();
  return count[0];
}

/** Reads `TCP_INFO` behind the records; returns its length in bytes, or a negative code. */
export function readTcpInfo(fd: number): number {
  descriptor[0] = fd;
  readInfo();
  return count[0] as number;
}

/** The number that every system has for SYN_SENT in its TCP information. */
const SYN_SENT = 2;

/** Whether a TCP socket waits for the answer to its SYN, or with Fast Open has not sent it. */
export function isSynSent(fd: number): boolean {
  return readTcpInfo(fd) > 0 && firstByte(tcpInfoWords[0] as number) === SYN_SENT;
}

/** Reads the lengths of the queues, in bytes, into the first three words of the records. */
export function readQueues(fd: number): void {
  descriptor[0] = fd;
  binding().readQueues();
}

/** Returns 1 if nothing waits on a connected socket, otherwise 0; or a negative code. */
export function readReusable(fd: number): number {
  descriptor[0] = fd;
  checkReusable();
  return count[0] as number;
}

/** Writes a record whose value is one word at `at`; returns where the next one begins. */
export function writeIntRecord(at: number, level: number, option: number, value: number): number {
  words[at] = level;
  words[at + 1] = option;
  words[at + 2] = 4;
  words[at + 3] = value;
  return at + RECORD_HEADER_WORDS + 1;
}

/** Writes a record with room for `length` bytes at `at`; returns where the next one begins. */
export function reserveRecord(at: number, level: number, option: number, length: number): number {
  words[at] = level;
  words[at + 1] = option;
  words[at + 2] = length;
  return at + RECORD_HEADER_WORDS + ((length + 3) >> 2);
}

/** Writes a record of any value at `at`; returns where the next one begins. */
export function writeBytesRecord(
  at: number,
  level: number,
  option: number,
  value: Uint8Array,
): number {
  const next = reserveRecord(at, level, option, value.length);
  bytes.set(value, (at + RECORD_HEADER_WORDS) * 4);
  return next;
}
