// Macros for the tables of constants: TCP(KEEPIDLE) is {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE}.
// Include it last: its names are short.

#ifndef SOCKET_OPTIONS_CONSTANTS_H_
#define SOCKET_OPTIONS_CONSTANTS_H_

#include "platform.h"

// clang-format off
#define SO(name) {"SO_" #name, SOL_SOCKET, SO_##name}
#define TCP(name) {"TCP_" #name, IPPROTO_TCP, TCP_##name}
#define UDP(name) {"UDP_" #name, IPPROTO_UDP, UDP_##name}
#define IP(name) {"IP_" #name, IPPROTO_IP, IP_##name}
#define IPV6(name) {"IPV6_" #name, IPPROTO_IPV6, IPV6_##name}
#define TLS(name) {"TLS_" #name, SOL_TLS, TLS_##name}
#define MPTCP(name) {"MPTCP_" #name, SOL_MPTCP, MPTCP_##name}
#define VSOCK(name) {"SO_VM_SOCKETS_" #name, AF_VSOCK, SO_VM_SOCKETS_##name}
#define VALUE(name) {#name, ::platform::kNoLevel, name}
// clang-format on

#endif  // SOCKET_OPTIONS_CONSTANTS_H_
