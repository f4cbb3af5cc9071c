// Numbers that lib/ and native/ have by hand outside of the tables, found in their text. codecs.mjs has the offsets.

/** Files, and the expressions of C for their constants: `const NAME = 1`. A name alone is its own expression. */
const CONSTANTS = {
  linux: {
    'lib/connections/linux/messages.ts': {
      NLMSG_ERROR: '',
      NLMSG_DONE: '',
      NLMSG_OVERRUN: '',
      SOCK_DIAG_BY_FAMILY: '',
      TCPDIAG_GETSOCK: '',
      NLM_F_DUMP_INTR: '',
      NLMSGHDR_SIZE: 'sizeof(struct nlmsghdr)',
      INET_DIAG_MSG_SIZE: 'sizeof(struct inet_diag_msg)',
      AF_INET: '',
      AF_INET6: '',
      IPPROTO_TCP: '',
      IPPROTO_MPTCP: '',
      INET_DIAG_INFO: '',
      INET_DIAG_CONG: '',
      INET_DIAG_MARK: '',
      INET_DIAG_ULP_INFO: '',
      INET_ULP_INFO_NAME: '',
      NEGATIVE_EPROTO: '-EPROTO',
    },
    'lib/connections/linux/request.ts': {
      SOCK_DESTROY: '',
      NLM_F_REQUEST: '',
      NLM_F_ACK: '',
      NLM_F_DUMP: '',
      INET_DIAG_REQ_SIZE: 'sizeof(struct inet_diag_req)',
      INET_DIAG_REQ_V2_SIZE: 'sizeof(struct inet_diag_req_v2)',
      INET_DIAG_REQ_BYTECODE: '',
      INET_DIAG_REQ_PROTOCOL: '',
      TCP_NEW_SYN_RECV: 'BPF_TCP_NEW_SYN_RECV',
    },
    'lib/connections/linux/bytecode.ts': Object.fromEntries(
      ['JMP', 'S_GE', 'S_LE', 'D_GE', 'D_LE', 'S_COND', 'D_COND'].map((name) => [
        name,
        `INET_DIAG_BC_${name}`,
      ]),
    ),
    'lib/tcp-info/system.ts': {
      TCP_LISTEN: 'BPF_TCP_LISTEN',
      SND_MSS: '__builtin_offsetof(struct tcp_info, tcpi_snd_mss) / 4',
      SND_CWND: '__builtin_offsetof(struct tcp_info, tcpi_snd_cwnd) / 4',
    },
    'lib/mptcp/get-mptcp-info.ts': {
      SOL_MPTCP: '',
      MPTCP_INFO: '',
      SOL_SOCKET: '',
      SO_PROTOCOL: '',
      IPPROTO_TCP: '',
      IPPROTO_MPTCP: '',
      TCP_IS_MPTCP: '',
    },
    'lib/mptcp/mptcp-info.ts': { FLAG_REMOTE_KEY_RECEIVED: 'MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED' },
    'lib/mptcp/subflows.ts': {
      SUBFLOW: 'sizeof(struct mptcp_subflow_info)',
      FULL_INFO: '__builtin_offsetof(struct mptcp_full_info, mptcp_info)',
      SUBFLOW_DATA: 'sizeof(struct mptcp_subflow_data)',
      ADDRESSES: 'sizeof(struct mptcp_subflow_addrs)',
      REMOTE: '__builtin_offsetof(struct mptcp_subflow_addrs, sa_remote)',
      MPTCP_TCPINFO: '',
      MPTCP_SUBFLOW_ADDRS: '',
      MPTCP_FULL_INFO: '',
      AF_INET: '',
    },
  },
  darwin: {
    'lib/connections/darwin.ts': {
      XSO_SOCKET: '',
      XSO_RCVBUF: '',
      XSO_SNDBUF: '',
      XSO_INPCB: '',
      XSO_TCPCB: '',
      INP_IPV4: '',
    },
  },
  freebsd: {},
  win32: {
    'lib/connections/win32.ts': { AF_INET: '', AF_INET6: '', MIB_TCP_STATE_DELETE_TCB: '' },
  },
};

/** Numbers of native/ that are no constants of the addon. */
const NATIVE = {
  linux: {},
  darwin: {},
  freebsd: {},
  win32: { kTcpInfo: 'SIO_TCP_INFO', kOwnerPidAll: 'TCP_TABLE_OWNER_PID_ALL' },
};

/** The levels of lib/options/unsafe-options.ts, by the beginning of an option's name. */
const LEVELS = [
  ['SO_', 'SOL_SOCKET'],
  ['TCP_', 'IPPROTO_TCP'],
  ['MPTCP_', 'SOL_MPTCP'],
  ['IP6T_', 'IPPROTO_IPV6'],
  ['IPV6_', 'IPPROTO_IPV6'],
  [/^(?:IP|IPT|ARPT|EBT)_/, 'IPPROTO_IP'],
  ['SCTP_', 'IPPROTO_SCTP'],
  ['PACKET_', 'SOL_PACKET'],
  ['RDS_', 'SOL_RDS'],
  ['XDP_', 'SOL_XDP'],
];

function unsafeOptions(system, read) {
  const file = 'lib/options/unsafe-options.ts';
  const list = system === 'linux' ? 'LINUX' : system === 'darwin' ? 'DARWIN' : undefined;
  const text =
    new RegExp(`const ${list}: [^=]*= \\[([\\s\\S]*?)\\n\\];`).exec(read(file))?.[1] ?? '';
  return [...text.matchAll(/[[(](\w+), (\w+), '(\w+)'/g)].flatMap(([, level, number, name]) => [
    { label: `${name} of ${file}`, expression: name, value: BigInt(number) },
    {
      label: `level of ${name} of ${file}`,
      expression: LEVELS.find(([start]) => new RegExp(start).exec(name)?.index === 0)[1],
      value: BigInt(level),
    },
  ]);
}

/** The entries of a system. `read` returns the text of a file, `numbers` has those of native/. */
export function handWritten(system, read, numbers) {
  const entries = unsafeOptions(system, read);
  for (const [file, names] of Object.entries(CONSTANTS[system])) {
    const text = read(file);
    for (const [name, expression] of Object.entries(names)) {
      const value = new RegExp(`const ${name} = (-?\\w+);`).exec(text)?.[1];
      if (value === undefined) {
        throw new Error(`${file} has no constant ${name}: change test/lanes/abi/hand-written.mjs`);
      }
      const number = BigInt(value.replace('-', '')) * (value.startsWith('-') ? -1n : 1n);
      entries.push({ label: `${name} of ${file}`, expression: expression || name, value: number });
    }
  }
  for (const [name, expression] of Object.entries(NATIVE[system])) {
    if (!numbers.has(name)) throw new Error(`native/ has no constant ${name}`);
    entries.push({ label: `${name} of native/`, expression, value: numbers.get(name) });
  }
  if (system === 'win32') {
    const file = 'lib/connections/win32.ts';
    for (const [row, structure] of [
      ['IPV4', 'MIB_TCPROW_OWNER_PID'],
      ['IPV6', 'MIB_TCP6ROW_OWNER_PID'],
    ]) {
      const [, size] = new RegExp(`const ${row}: RowLayout = \\{[^}]* size: (\\d+)`).exec(
        read(file),
      );
      entries.push({
        label: `size of ${row} of ${file}`,
        expression: `sizeof(${structure})`,
        value: BigInt(size),
      });
    }
  }
  if (system === 'linux') {
    const groups = /kDestroyGroups = ([^;]*);/.exec(read('native/platform/linux_watch.cc'))[1];
    const value = groups
      .split('|')
      .reduce((sum, bit) => sum | (1n << BigInt(bit.split('<<')[1])), 0n);
    entries.push({
      label: 'kDestroyGroups of native/platform/linux_watch.cc',
      expression: '1 << (SKNLGRP_INET_TCP_DESTROY - 1) | 1 << (SKNLGRP_INET6_TCP_DESTROY - 1)',
      value,
    });
  }
  return entries;
}
