// Everything of macOS but what posix.cc and bsd.cc have: constants, TCP_INFO, connections.

// The headers then define the options of RFC 3542 (IPV6_RECVPKTINFO, IPV6_DONTFRAG, ...).
#define __APPLE_USE_RFC_3542  // NOLINT(bugprone-reserved-identifier,cert-dcl*): Apple's name

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

#include <memory>

#include "connection_snapshot.h"
#include "constants.h"

// For headers that are older than these names. The numbers are the kernel's ABI: bsd/sys/socket.h
// and bsd/netinet/tcp.h of xnu.
#ifndef SO_BINDTODEVICE
#define SO_BINDTODEVICE 0x1134
#endif
#ifndef SO_RESOLVER_SIGNATURE
#define SO_RESOLVER_SIGNATURE 0x1131
#endif
#ifndef TCP_CONNECTION_INFO
#define TCP_CONNECTION_INFO 0x106
#endif
#ifndef AF_VSOCK
#define AF_VSOCK 40
#endif

namespace platform {

// One line for several entries:
// clang-format off
const Constant kConstants[] = {
    SO(ACCEPTCONN), SO(BINDTODEVICE), SO(BROADCAST), SO(DEBUG), SO(DONTROUTE), SO(DONTTRUNC),
    SO(ERROR), SO(KEEPALIVE), SO(LINGER), SO(LINGER_SEC), SO(NETSVC_MARKING_LEVEL),
    SO(NET_SERVICE_TYPE), SO(NOADDRERR), SO(NOSIGPIPE), SO(NP_EXTENSIONS), SO(NREAD),
    SO(NUMRCVPKT), SO(NWRITE), SO(OOBINLINE), SO(RANDOMPORT), SO(RCVBUF), SO(RCVLOWAT),
    SO(RCVTIMEO), SO(RESOLVER_SIGNATURE), SO(REUSEADDR), SO(REUSEPORT), SO(REUSESHAREUID),
    SO(SNDBUF), SO(SNDLOWAT), SO(SNDTIMEO), SO(TIMESTAMP), SO(TIMESTAMP_MONOTONIC), SO(TYPE),
    SO(USELOOPBACK), SO(WANTMORE), SO(WANTOOBFLAG),

    TCP(CONNECTIONTIMEOUT), TCP(CONNECTION_INFO), TCP(ENABLE_ECN), TCP(FASTOPEN), TCP(KEEPALIVE),
    TCP(KEEPCNT), TCP(KEEPINTVL), TCP(MAXSEG), TCP(NODELAY), TCP(NOOPT), TCP(NOPUSH),
    TCP(NOTSENT_LOWAT), TCP(RXT_CONNDROPTIME), TCP(RXT_FINDROP), TCP(SENDMOREACKS),
    {"PERSIST_TIMEOUT", IPPROTO_TCP, PERSIST_TIMEOUT},

    UDP(NOCKSUM),

    IP(ADD_MEMBERSHIP), IP(ADD_SOURCE_MEMBERSHIP), IP(BLOCK_SOURCE), IP(BOUND_IF), IP(DONTFRAG),
    IP(DROP_MEMBERSHIP), IP(DROP_SOURCE_MEMBERSHIP), IP(HDRINCL), IP(MSFILTER), IP(MULTICAST_IF),
    IP(MULTICAST_IFINDEX), IP(MULTICAST_LOOP), IP(MULTICAST_TTL), IP(MULTICAST_VIF), IP(OPTIONS),
    IP(PKTINFO), IP(PORTRANGE), IP(RECVDSTADDR), IP(RECVIF), IP(RECVOPTS), IP(RECVPKTINFO),
    IP(RECVRETOPTS), IP(RECVTOS), IP(RECVTTL), IP(RETOPTS), IP(STRIPHDR), IP(TOS), IP(TTL),
    IP(UNBLOCK_SOURCE),

    IPV6(AUTOFLOWLABEL), IPV6(BOUND_IF), IPV6(CHECKSUM), IPV6(DONTFRAG), IPV6(DSTOPTS),
    IPV6(HOPLIMIT), IPV6(HOPOPTS), IPV6(JOIN_GROUP), IPV6(LEAVE_GROUP), IPV6(MSFILTER),
    IPV6(MULTICAST_HOPS), IPV6(MULTICAST_IF), IPV6(MULTICAST_LOOP), IPV6(NEXTHOP), IPV6(PATHMTU),
    IPV6(PKTINFO), IPV6(PORTRANGE), IPV6(PREFER_TEMPADDR), IPV6(RECVDSTOPTS), IPV6(RECVHOPLIMIT),
    IPV6(RECVHOPOPTS), IPV6(RECVPATHMTU), IPV6(RECVPKTINFO), IPV6(RECVRTHDR), IPV6(RECVTCLASS),
    IPV6(RTHDR), IPV6(RTHDRDSTOPTS), IPV6(TCLASS), IPV6(UNICAST_HOPS), IPV6(USE_MIN_MTU),
    IPV6(V6ONLY),

    VALUE(SOL_SOCKET), VALUE(IPPROTO_IP), VALUE(IPPROTO_IPV6), VALUE(IPPROTO_TCP),
    VALUE(IPPROTO_UDP), VALUE(IPPROTO_SCTP), VALUE(IPPROTO_ICMP), VALUE(IPPROTO_ICMPV6),
    VALUE(IPPROTO_RAW), VALUE(AF_INET), VALUE(AF_INET6), VALUE(AF_UNIX), VALUE(AF_ROUTE),
    VALUE(AF_SYSTEM), VALUE(AF_VSOCK), VALUE(SOCK_STREAM), VALUE(SOCK_DGRAM), VALUE(SOCK_RAW),
    VALUE(SOCK_RDM), VALUE(SOCK_SEQPACKET), VALUE(IP_PORTRANGE_DEFAULT), VALUE(IP_PORTRANGE_HIGH),
    VALUE(IP_PORTRANGE_LOW), VALUE(IPV6_PORTRANGE_DEFAULT), VALUE(IPV6_PORTRANGE_HIGH),
    VALUE(IPV6_PORTRANGE_LOW), VALUE(NET_SERVICE_TYPE_AV), VALUE(NET_SERVICE_TYPE_BE),
    VALUE(NET_SERVICE_TYPE_BK), VALUE(NET_SERVICE_TYPE_OAM), VALUE(NET_SERVICE_TYPE_RD),
    VALUE(NET_SERVICE_TYPE_RV), VALUE(NET_SERVICE_TYPE_SIG), VALUE(NET_SERVICE_TYPE_VI),
    VALUE(NET_SERVICE_TYPE_VO), VALUE(SONPX_SETOPTSHUT),
};
// clang-format on
const std::size_t kConstantCount = sizeof(kConstants) / sizeof(kConstants[0]);

int GetTcpInfo(Socket socket, void* info, std::size_t room) {
  int length = static_cast<int>(room);
  const int status = GetOption(socket, IPPROTO_TCP, TCP_CONNECTION_INFO, info, &length);
  return status < 0 ? status : length;
}

int GetQueues(Socket socket, std::int32_t queues[3]) {
  int unread = 0;
  queues[0] = ioctl(static_cast<int>(socket), FIONREAD, &unread) == 0 ? unread : -1;
  // The send buffer: unacknowledged and unsent bytes together.
  int length = sizeof(queues[1]);
  if (GetOption(socket, SOL_SOCKET, SO_NWRITE, &queues[1], &length) < 0) queues[1] = -1;
  queues[2] = -1;
  return 0;
}

int OpenConnectionTable(const void*, std::size_t, ConnectionTable** table, const char**) {
  static constexpr char kName[] = "net.inet.tcp.pcblist_n";
  auto snapshot = std::make_unique<ConnectionTable>();
  // The table may grow between the two calls.
  for (int attempt = 0; attempt < 4; attempt++) {
    std::size_t size = 0;
    if (sysctlbyname(kName, nullptr, &size, nullptr, 0) != 0) return -errno;
    size += size / 4;
    void* bytes = snapshot->Reserve(size);
    if (bytes == nullptr) return -ENOMEM;
    if (sysctlbyname(kName, bytes, &size, nullptr, 0) == 0) {
      snapshot->SetSize(size);
      *table = snapshot.release();
      return 0;
    }
    if (errno != ENOMEM) return -errno;
  }
  return -EAGAIN;
}

}  // namespace platform
