// Compiles a filter to the bytecode that the kernel runs for each socket (sock_diag(7) of Linux).
// An operation has four bytes, { code, yes, no }, and an operand. `yes` and `no` are how many bytes to jump
// forward if the condition holds or fails. A jump to the end of the code accepts the socket, a jump four
// bytes beyond the end rejects it. Layouts: include/uapi/linux/inet_diag.h.

import type { Prefix } from '../../core/address';
import { isLittleEndian } from '../../core/byte-order';
import type { ParsedFilter } from '../filter';
import { AF_INET, AF_INET6 } from './messages';

const JMP = 1;
const S_GE = 2;
const S_LE = 3;
const D_GE = 4;
const D_LE = 5;
const S_COND = 7;
const D_COND = 8;

/** Longer lists are left to `matchesFilter`: the kernel compares them one by one for each socket. */
const MAX_ALTERNATIVES = 32;

/** At least one alternative must hold. It holds if all of its operations do. */
type Alternatives = readonly (readonly Operation[])[];

interface Operation {
  readonly code: number;
  readonly operand: Uint8Array;
}

/** The bytecode for the ports and addresses of a filter; empty if it restricts neither. */
export function compileFilter(filter: ParsedFilter): Uint8Array {
  const { port, localPort, remotePort, localAddress, remoteAddress } = filter;
  const all: Alternatives[] = [];
  const isLocal = portEquals(S_GE, S_LE);
  const isRemote = portEquals(D_GE, D_LE);
  const addPorts = (
    ports: ReadonlySet<number> | undefined,
    alternatives: (port: number) => Alternatives,
  ) => {
    if (ports !== undefined && ports.size <= MAX_ALTERNATIVES)
      all.push([...ports].flatMap(alternatives));
  };
  addPorts(localPort, (one) => [isLocal(one)]);
  addPorts(remotePort, (one) => [isRemote(one)]);
  addPorts(port, (one) => [isLocal(one), isRemote(one)]);
  const addAddresses = (code: number, prefixes: readonly Prefix[] | undefined) => {
    if (prefixes !== undefined && prefixes.length <= MAX_ALTERNATIVES) {
      all.push(prefixes.map((prefix) => [addressInPrefix(code, prefix)]));
    }
  };
  addAddresses(S_COND, localAddress);
  addAddresses(D_COND, remoteAddress);
  return assemble(all);
}

/** Two comparisons, >= and <=: the operation for "equal" only exists since Linux 4.16. */
function portEquals(greaterOrEqual: number, lessOrEqual: number): (port: number) => Operation[] {
  return (port) => {
    // The port is in the place of `no`, in four bytes that have the form of an operation.
    const operand = new Uint8Array(4);
    new DataView(operand.buffer).setUint16(2, port, isLittleEndian);
    return [
      { code: greaterOrEqual, operand },
      { code: lessOrEqual, operand },
    ];
  };
}

/** `struct inet_diag_hostcond`. The kernel compares an IPv4 prefix with IPv4-mapped addresses too. */
function addressInPrefix(code: number, { bytes, bits }: Prefix): Operation {
  const operand = new Uint8Array(8 + bytes.length);
  operand[0] = bytes.length === 4 ? AF_INET : AF_INET6;
  operand[1] = bits;
  new DataView(operand.buffer).setInt32(4, -1, isLittleEndian);
  operand.set(bytes, 8);
  return { code, operand };
}

const sizeOf = ({ operand }: Operation) => 4 + operand.length;
const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
/** Each alternative but the last is followed by a jump to the end of the group. */
const sizeOfGroup = (group: Alternatives) =>
  total(group.map((operations) => total(operations.map(sizeOf)) + 4)) - 4;

function assemble(all: readonly Alternatives[]): Uint8Array {
  const bytes = new Uint8Array(total(all.map(sizeOfGroup)));
  const view = new DataView(bytes.buffer);
  const reject = bytes.length + 4;
  let at = 0;
  const put = (code: number, yes: number, no: number) => {
    bytes[at] = code;
    bytes[at + 1] = yes;
    view.setUint16(at + 2, no, isLittleEndian);
  };
  for (const group of all) {
    const end = at + sizeOfGroup(group);
    group.forEach((operations, index) => {
      const last = index === group.length - 1;
      const next = last ? reject : at + total(operations.map(sizeOf)) + 4;
      for (const operation of operations) {
        put(operation.code, sizeOf(operation), next - at);
        bytes.set(operation.operand, at + 4);
        at += sizeOf(operation);
      }
      if (!last) {
        put(JMP, 4, end - at);
        at += 4;
      }
    });
  }
  return bytes;
}
