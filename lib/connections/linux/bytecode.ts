// sock_diag(7) of Linux: the filter that the kernel runs for each socket. Operations of four bytes
// { code, yes, no } with an operand after them. A jump goes so many bytes on, `no` where the condition fails;
// the end of the code accepts, and four bytes beyond it refuses. Layouts: include/uapi/linux/inet_diag.h.

import type { Prefix } from '../address';
import type { Conditions } from '../filter';
import { AF_INET, AF_INET6 } from './messages';

const JMP = 1;
const S_GE = 2;
const S_LE = 3;
const D_GE = 4;
const D_LE = 5;
const S_COND = 7;
const D_COND = 8;

/** Ports of more than that are left to `matches`: the kernel looks at all of them for each socket. */
const MOST_PORTS = 32;

/** Conditions of which one must hold: each is operations that all must hold. */
type Alternatives = readonly (readonly Operation[])[];

interface Operation {
  readonly code: number;
  readonly operand: Uint8Array;
}

/** The conditions on ports and addresses, in the kernel's code; empty where there are none. */
export function bytecodeOf(conditions: Conditions): Uint8Array {
  const { port, localPort, remotePort, localAddress, remoteAddress } = conditions;
  const all: Alternatives[] = [];
  const isLocal = portIs(S_GE, S_LE);
  const isRemote = portIs(D_GE, D_LE);
  const addPorts = (
    ports: ReadonlySet<number> | undefined,
    alternatives: (port: number) => Alternatives,
  ) => {
    if (ports !== undefined && ports.size <= MOST_PORTS) all.push([...ports].flatMap(alternatives));
  };
  addPorts(localPort, (one) => [isLocal(one)]);
  addPorts(remotePort, (one) => [isRemote(one)]);
  addPorts(port, (one) => [isLocal(one), isRemote(one)]);
  if (localAddress !== undefined) all.push([[addressIsIn(S_COND, localAddress)]]);
  if (remoteAddress !== undefined) all.push([[addressIsIn(D_COND, remoteAddress)]]);
  return assemble(all);
}

/** Two operations, since the one for "equal" is newer (Linux 4.16). */
function portIs(notBelow: number, notAbove: number): (port: number) => Operation[] {
  return (port) => {
    // The port is where an operation has `no`, in an operation of its own that is none.
    const operand = new Uint8Array(4);
    new DataView(operand.buffer).setUint16(2, port, true);
    return [
      { code: notBelow, operand },
      { code: notAbove, operand },
    ];
  };
}

/** `struct inet_diag_hostcond`; one of IPv4 the kernel also holds against mapped addresses. */
function addressIsIn(code: number, { bytes, bits }: Prefix): Operation {
  const operand = new Uint8Array(8 + bytes.length);
  operand[0] = bytes.length === 4 ? AF_INET : AF_INET6;
  operand[1] = bits;
  new DataView(operand.buffer).setInt32(4, -1, true);
  operand.set(bytes, 8);
  return { code, operand };
}

const sizeOf = ({ operand }: Operation) => 4 + operand.length;
const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
/** With the jump to the end of the group that follows each alternative but the last. */
const sizeOfGroup = (group: Alternatives) =>
  total(group.map((operations) => total(operations.map(sizeOf)) + 4)) - 4;

function assemble(all: readonly Alternatives[]): Uint8Array {
  const bytes = new Uint8Array(total(all.map(sizeOfGroup)));
  const view = new DataView(bytes.buffer);
  const refused = bytes.length + 4;
  let at = 0;
  const put = (code: number, yes: number, no: number) => {
    bytes[at] = code;
    bytes[at + 1] = yes;
    view.setUint16(at + 2, no, true);
  };
  for (const group of all) {
    const end = at + sizeOfGroup(group);
    group.forEach((operations, index) => {
      const last = index === group.length - 1;
      const next = last ? refused : at + total(operations.map(sizeOf)) + 4;
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
