// Everything of FreeBSD but what posix.cc and bsd.cc have: constants, TCP_INFO, queues. A list of
// its connections is not implemented: the layout of net.inet.tcp.pcblist differs between versions.

#include <cerrno>
#include <cstdint>

#include <sys/types.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/filio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "constants.h"

// For headers that are older than these names. The numbers are the kernel's ABI: sys/sys/socket.h,
// sys/netinet/tcp.h, sys/netinet/in.h and sys/netinet6/in6.h.
#ifndef IPV6_VLAN_PCP
#define IPV6_VLAN_PCP 75
#endif
#ifndef IP_VLAN_PCP
#define IP_VLAN_PCP 75
#endif
#ifndef SO_MAX_PACING_RATE
#define SO_MAX_PACING_RATE 4120
#endif
#ifndef SO_RERROR
#define SO_RERROR 131072
#endif
#ifndef TCP_MAXUNACKTIME
#define TCP_MAXUNACKTIME 68
#endif
#ifndef TCP_REMOTE_UDP_ENCAPS_PORT
#define TCP_REMOTE_UDP_ENCAPS_PORT 71
#endif

namespace platform {

// One line for several entries:
// clang-format off
const Constant kConstants[] = {
    SO(ACCEPTCONN), SO(ACCEPTFILTER), SO(BINTIME), SO(BROADCAST), SO(DEBUG), SO(DOMAIN),
    SO(DONTROUTE), SO(ERROR), SO(KEEPALIVE), SO(LABEL), SO(LINGER), SO(LISTENINCQLEN),
    SO(LISTENQLEN), SO(LISTENQLIMIT), SO(MAX_PACING_RATE), SO(NOSIGPIPE), SO(NO_DDP),
    SO(NO_OFFLOAD), SO(OOBINLINE), SO(PEERLABEL), SO(PROTOCOL), SO(RCVBUF), SO(RCVLOWAT),
    SO(RCVTIMEO), SO(RERROR), SO(REUSEADDR), SO(REUSEPORT), SO(REUSEPORT_LB), SO(SETFIB),
    SO(SNDBUF), SO(SNDLOWAT), SO(SNDTIMEO), SO(TIMESTAMP), SO(TS_CLOCK), SO(TYPE),
    SO(USELOOPBACK), SO(USER_COOKIE),

    TCP(CCALGOOPT), TCP(CONGESTION), TCP(DATA_AFTER_CLOSE), TCP(DELACK), TCP(FASTOPEN),
    TCP(FUNCTION_BLK), TCP(INFO), TCP(KEEPCNT), TCP(KEEPIDLE), TCP(KEEPINIT), TCP(KEEPINTVL),
    TCP(LOGID), TCP(MAXSEG), TCP(MAXUNACKTIME), TCP(MD5SIG), TCP(NODELAY), TCP(NOOPT),
    TCP(NOPUSH), TCP(REMOTE_UDP_ENCAPS_PORT),

    IP(ADD_MEMBERSHIP), IP(ADD_SOURCE_MEMBERSHIP), IP(BINDANY), IP(BLOCK_SOURCE), IP(DONTFRAG),
    IP(DROP_MEMBERSHIP), IP(DROP_SOURCE_MEMBERSHIP), IP(FLOWID), IP(FLOWTYPE), IP(HDRINCL),
    IP(IPSEC_POLICY), IP(MINTTL), IP(MSFILTER), IP(MULTICAST_IF), IP(MULTICAST_LOOP),
    IP(MULTICAST_TTL), IP(MULTICAST_VIF), IP(ONESBCAST), IP(OPTIONS), IP(ORIGDSTADDR),
    IP(PORTRANGE), IP(RECVDSTADDR), IP(RECVFLOWID), IP(RECVIF), IP(RECVOPTS),
    IP(RECVORIGDSTADDR), IP(RECVRETOPTS), IP(RECVTOS), IP(RECVTTL), IP(RETOPTS),
    IP(SENDSRCADDR), IP(TOS), IP(TTL), IP(UNBLOCK_SOURCE), IP(VLAN_PCP),

    IPV6(AUTOFLOWLABEL), IPV6(BINDANY), IPV6(CHECKSUM), IPV6(DONTFRAG), IPV6(DSTOPTS),
    IPV6(FLOWID), IPV6(FLOWTYPE), IPV6(HOPLIMIT), IPV6(HOPOPTS), IPV6(IPSEC_POLICY),
    IPV6(JOIN_GROUP), IPV6(LEAVE_GROUP), IPV6(MSFILTER), IPV6(MULTICAST_HOPS),
    IPV6(MULTICAST_IF), IPV6(MULTICAST_LOOP), IPV6(NEXTHOP), IPV6(ORIGDSTADDR), IPV6(PATHMTU),
    IPV6(PKTINFO), IPV6(PORTRANGE), IPV6(PREFER_TEMPADDR), IPV6(RECVDSTOPTS), IPV6(RECVFLOWID),
    IPV6(RECVHOPLIMIT), IPV6(RECVHOPOPTS), IPV6(RECVORIGDSTADDR), IPV6(RECVPATHMTU),
    IPV6(RECVPKTINFO), IPV6(RECVRTHDR), IPV6(RECVTCLASS), IPV6(RTHDR), IPV6(RTHDRDSTOPTS),
    IPV6(TCLASS), IPV6(UNICAST_HOPS), IPV6(USE_MIN_MTU), IPV6(V6ONLY), IPV6(VLAN_PCP),

    VALUE(SOL_SOCKET), VALUE(IPPROTO_IP), VALUE(IPPROTO_IPV6), VALUE(IPPROTO_TCP),
    VALUE(IPPROTO_UDP), VALUE(IPPROTO_SCTP), VALUE(IPPROTO_ICMP), VALUE(IPPROTO_ICMPV6),
    VALUE(IPPROTO_RAW), VALUE(AF_INET), VALUE(AF_INET6), VALUE(AF_UNIX), VALUE(AF_ROUTE),
    VALUE(SOCK_STREAM), VALUE(SOCK_DGRAM), VALUE(SOCK_RAW), VALUE(SOCK_RDM),
    VALUE(SOCK_SEQPACKET), VALUE(IP_PORTRANGE_DEFAULT), VALUE(IP_PORTRANGE_HIGH),
    VALUE(IP_PORTRANGE_LOW), VALUE(IPV6_PORTRANGE_DEFAULT), VALUE(IPV6_PORTRANGE_HIGH),
    VALUE(IPV6_PORTRANGE_LOW), VALUE(SO_TS_BINTIME), VALUE(SO_TS_DEFAULT),
    VALUE(SO_TS_MONOTONIC), VALUE(SO_TS_REALTIME), VALUE(SO_TS_REALTIME_MICRO),
};
// clang-format on
const std::size_t kConstantCount = sizeof(kConstants) / sizeof(kConstants[0]);

namespace {

// 14.0-RELEASE.
constexpr int kFreeBsd14 = 1400097;

// FreeBSD 13 and 14 write structures of this length. Padding follows the last member.
constexpr int kPaddedLength = 236;
constexpr int kMembersOf13 = 132;
constexpr int kMembersOf14 = 196;

}  // namespace

// The returned length ends with the last member of the running version, so that it shows which
// members are there. FreeBSD 14 has new members where FreeBSD 13 has padding.
int GetTcpInfo(Socket socket, void* info, std::size_t room) {
  int length = static_cast<int>(room);
  const int status = GetOption(socket, IPPROTO_TCP, TCP_INFO, info, &length);
  if (status < 0) return status;
  if (length != kPaddedLength) return length;
  return getosreldate() < kFreeBsd14 ? kMembersOf13 : kMembersOf14;
}

int GetQueues(Socket socket, std::int32_t queues[3]) {
  int bytes = 0;
  queues[0] = ioctl(static_cast<int>(socket), FIONREAD, &bytes) == 0 ? bytes : -1;
  // The send buffer: unacknowledged and unsent bytes together.
  queues[1] = ioctl(static_cast<int>(socket), FIONWRITE, &bytes) == 0 ? bytes : -1;
  queues[2] = -1;
  return 0;
}

int OpenConnectionTable(const void*, std::size_t, ConnectionTable**, const char**) {
  return -ENOTSUP;
}

// No table is ever open.
int ReadConnectionTable(ConnectionTable*, void*, std::size_t, const char**) {
  return -ENOTSUP;
}

void CloseConnectionTable(ConnectionTable*) {
}

}  // namespace platform
