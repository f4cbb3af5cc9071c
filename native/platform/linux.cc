// Constants, TCP_INFO, queues and sysctls of Linux.

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/sockios.h>
// Not <netinet/tcp.h>: libc's copy lags behind the kernel's by years, and the two exclude each
// other.
#include <linux/tcp.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "constants.h"

// For headers that are older than these names. The numbers are the kernel's ABI:
// include/uapi/linux/*.h. Those of SO_ are from asm-generic, which all processors use that Node
// supports.
#ifndef TCP_MD5SIG_EXT
#define TCP_MD5SIG_EXT 32
#endif
#ifndef TCP_FASTOPEN_KEY
#define TCP_FASTOPEN_KEY 33
#endif
#ifndef TCP_FASTOPEN_NO_COOKIE
#define TCP_FASTOPEN_NO_COOKIE 34
#endif
#ifndef TCP_ZEROCOPY_RECEIVE
#define TCP_ZEROCOPY_RECEIVE 35
#endif
#ifndef TCP_INQ
#define TCP_INQ 36
#endif
#ifndef TCP_TX_DELAY
#define TCP_TX_DELAY 37
#endif
#ifndef TCP_AO_ADD_KEY
#define TCP_AO_ADD_KEY 38
#endif
#ifndef TCP_AO_DEL_KEY
#define TCP_AO_DEL_KEY 39
#endif
#ifndef TCP_AO_INFO
#define TCP_AO_INFO 40
#endif
#ifndef TCP_AO_GET_KEYS
#define TCP_AO_GET_KEYS 41
#endif
#ifndef TCP_AO_REPAIR
#define TCP_AO_REPAIR 42
#endif
#ifndef TCP_IS_MPTCP
#define TCP_IS_MPTCP 43
#endif
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif
#ifndef TCP_RTO_MIN_US
#define TCP_RTO_MIN_US 45
#endif
#ifndef TCP_DELACK_MAX_US
#define TCP_DELACK_MAX_US 46
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_RESERVE_MEM
#define SO_RESERVE_MEM 73
#endif
#ifndef SO_TXREHASH
#define SO_TXREHASH 74
#endif
#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_RCVPRIORITY
#define SO_RCVPRIORITY 82
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IP_PROTOCOL
#define IP_PROTOCOL 52
#endif
#ifndef IP_RECVERR_RFC4884
#define IP_RECVERR_RFC4884 26
#endif
#ifndef IPV6_RECVERR_RFC4884
#define IPV6_RECVERR_RFC4884 31
#endif
#ifndef IPV6_RECVFRAGSIZE
#define IPV6_RECVFRAGSIZE 77
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif
#ifndef IPV6_FLOWINFO_SEND
#define IPV6_FLOWINFO_SEND 33
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

namespace platform {

// One line for several entries:
// clang-format off
const Constant kConstants[] = {
    SO(ACCEPTCONN), SO(ATTACH_BPF), SO(ATTACH_FILTER), SO(ATTACH_REUSEPORT_CBPF),
    SO(ATTACH_REUSEPORT_EBPF), SO(BINDTODEVICE), SO(BINDTOIFINDEX), SO(BPF_EXTENSIONS),
    SO(BROADCAST), SO(BUF_LOCK), SO(BUSY_POLL), SO(BUSY_POLL_BUDGET), SO(CNX_ADVICE), SO(COOKIE),
    SO(DEBUG), SO(DETACH_FILTER), SO(DETACH_REUSEPORT_BPF), SO(DOMAIN), SO(DONTROUTE), SO(ERROR),
    SO(INCOMING_CPU), SO(INCOMING_NAPI_ID), SO(KEEPALIVE), SO(LINGER), SO(LOCK_FILTER), SO(MARK),
    SO(MAX_PACING_RATE), SO(MEMINFO), SO(NETNS_COOKIE), SO(NO_CHECK), SO(OOBINLINE), SO(PASSCRED),
    SO(PASSPIDFD), SO(PASSSEC), SO(PEEK_OFF), SO(PEERCRED), SO(PEERGROUPS), SO(PEERPIDFD),
    SO(PEERSEC), SO(PREFER_BUSY_POLL), SO(PRIORITY), SO(PROTOCOL), SO(RCVBUF), SO(RCVBUFFORCE),
    SO(RCVLOWAT), SO(RCVMARK), SO(RCVPRIORITY), SO(RCVTIMEO), SO(RESERVE_MEM), SO(REUSEADDR),
    SO(REUSEPORT), SO(RXQ_OVFL), SO(SELECT_ERR_QUEUE), SO(SNDBUF), SO(SNDBUFFORCE), SO(SNDLOWAT),
    SO(SNDTIMEO), SO(TIMESTAMP), SO(TIMESTAMPING), SO(TIMESTAMPNS), SO(TXREHASH), SO(TXTIME),
    SO(TYPE), SO(ZEROCOPY),

    TCP(AO_ADD_KEY), TCP(AO_DEL_KEY), TCP(AO_GET_KEYS), TCP(AO_INFO), TCP(AO_REPAIR), TCP(CC_INFO),
    TCP(CONGESTION), TCP(CORK), TCP(DEFER_ACCEPT), TCP(DELACK_MAX_US), TCP(FASTOPEN),
    TCP(FASTOPEN_CONNECT), TCP(FASTOPEN_KEY), TCP(FASTOPEN_NO_COOKIE), TCP(INFO), TCP(INQ),
    TCP(IS_MPTCP), TCP(KEEPCNT), TCP(KEEPIDLE), TCP(KEEPINTVL), TCP(LINGER2), TCP(MAXSEG),
    TCP(MD5SIG), TCP(MD5SIG_EXT), TCP(NODELAY), TCP(NOTSENT_LOWAT), TCP(QUEUE_SEQ), TCP(QUICKACK),
    TCP(REPAIR), TCP(REPAIR_OPTIONS), TCP(REPAIR_QUEUE), TCP(REPAIR_WINDOW), TCP(RTO_MAX_MS),
    TCP(RTO_MIN_US), TCP(SAVED_SYN), TCP(SAVE_SYN), TCP(SYNCNT), TCP(THIN_DUPACK),
    TCP(THIN_LINEAR_TIMEOUTS), TCP(TIMESTAMP), TCP(TX_DELAY), TCP(ULP), TCP(USER_TIMEOUT),
    TCP(WINDOW_CLAMP), TCP(ZEROCOPY_RECEIVE),

    UDP(CORK), UDP(ENCAP), UDP(GRO), UDP(NO_CHECK6_RX), UDP(NO_CHECK6_TX), UDP(SEGMENT),

    IP(ADD_MEMBERSHIP), IP(ADD_SOURCE_MEMBERSHIP), IP(BIND_ADDRESS_NO_PORT), IP(BLOCK_SOURCE),
    IP(DROP_MEMBERSHIP), IP(DROP_SOURCE_MEMBERSHIP), IP(FREEBIND), IP(HDRINCL),
    IP(LOCAL_PORT_RANGE), IP(MINTTL), IP(MSFILTER), IP(MTU), IP(MTU_DISCOVER), IP(MULTICAST_ALL),
    IP(MULTICAST_IF), IP(MULTICAST_LOOP), IP(MULTICAST_TTL), IP(NODEFRAG), IP(OPTIONS), IP(PASSSEC),
    IP(PKTINFO), IP(PROTOCOL), IP(RECVERR), IP(RECVERR_RFC4884), IP(RECVOPTS), IP(RECVORIGDSTADDR),
    IP(RECVTOS), IP(RECVTTL), IP(RETOPTS), IP(ROUTER_ALERT), IP(TOS), IP(TRANSPARENT), IP(TTL),
    IP(UNBLOCK_SOURCE), IP(UNICAST_IF),

    IPV6(ADDRFORM), IPV6(ADD_MEMBERSHIP), IPV6(AUTOFLOWLABEL), IPV6(CHECKSUM), IPV6(DONTFRAG),
    IPV6(DROP_MEMBERSHIP), IPV6(FLOWINFO_SEND), IPV6(FREEBIND), IPV6(HDRINCL), IPV6(MINHOPCOUNT),
    IPV6(MTU), IPV6(MTU_DISCOVER), IPV6(MULTICAST_ALL), IPV6(MULTICAST_HOPS), IPV6(MULTICAST_IF),
    IPV6(MULTICAST_LOOP), IPV6(PATHMTU), IPV6(RECVERR), IPV6(RECVERR_RFC4884), IPV6(RECVFRAGSIZE),
    IPV6(RECVHOPLIMIT), IPV6(RECVORIGDSTADDR), IPV6(RECVPATHMTU), IPV6(RECVPKTINFO),
    IPV6(RECVTCLASS), IPV6(ROUTER_ALERT), IPV6(TCLASS), IPV6(TRANSPARENT), IPV6(UNICAST_HOPS),
    IPV6(UNICAST_IF), IPV6(V6ONLY),

    VALUE(SOL_SOCKET), VALUE(IPPROTO_IP), VALUE(IPPROTO_IPV6), VALUE(IPPROTO_TCP),
    VALUE(IPPROTO_UDP), VALUE(IPPROTO_UDPLITE), VALUE(IPPROTO_SCTP), VALUE(IPPROTO_MPTCP),
    VALUE(IPPROTO_ICMP), VALUE(IPPROTO_ICMPV6), VALUE(IPPROTO_RAW), VALUE(AF_INET), VALUE(AF_INET6),
    VALUE(AF_UNIX), VALUE(AF_NETLINK), VALUE(AF_PACKET), VALUE(AF_VSOCK), VALUE(SOCK_STREAM),
    VALUE(SOCK_DGRAM), VALUE(SOCK_RAW), VALUE(SOCK_SEQPACKET), VALUE(IP_PMTUDISC_DONT),
    VALUE(IP_PMTUDISC_WANT), VALUE(IP_PMTUDISC_DO), VALUE(IP_PMTUDISC_PROBE),
    VALUE(IP_PMTUDISC_INTERFACE), VALUE(IP_PMTUDISC_OMIT),
};
// clang-format on
const std::size_t kConstantCount = sizeof(kConstants) / sizeof(kConstants[0]);

int GetTcpInfo(Socket socket, void* info, std::size_t room) {
  int length = static_cast<int>(room);
  const int status = GetOption(socket, IPPROTO_TCP, TCP_INFO, info, &length);
  return status < 0 ? status : length;
}

int GetIdentity(Socket socket, std::uint64_t* identity) {
  int length = sizeof(*identity);
  const int status = GetOption(socket, SOL_SOCKET, SO_COOKIE, identity, &length);
  return status == -ENOTSOCK ? kClosed : status;
}

int GetQueues(Socket socket, std::int32_t queues[3]) {
  static constexpr unsigned long kRequests[] = {SIOCINQ, SIOCOUTQ, SIOCOUTQNSD};
  for (int i = 0; i < 3; i++) {
    // -1 stays if the call fails (a listening socket has no queues) or writes nothing.
    queues[i] = -1;
    if (ioctl(static_cast<int>(socket), kRequests[i], &queues[i]) != 0) queues[i] = -1;
  }
  return 0;
}

// Sysctls are files of the caller's network namespace, below /proc/sys. lib/ has checked the name:
// it cannot leave that folder.
int ReadSetting(const char* name, char* text, std::size_t room) {
  static constexpr char kRoot[] = "/proc/sys/";
  char path[sizeof(kRoot) + 256];
  const std::size_t length = std::strlen(name);
  if (length >= sizeof(path) - sizeof(kRoot)) return -ENAMETOOLONG;
  std::memcpy(path, kRoot, sizeof(kRoot) - 1);
  std::memcpy(path + sizeof(kRoot) - 1, name, length + 1);

  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -errno;
  const ssize_t size = read(file, text, room);
  const int error = errno;
  close(file);
  if (size < 0) return -error;
  // A text that fills the room may have been cut off.
  return static_cast<std::size_t>(size) < room ? static_cast<int>(size) : -EOVERFLOW;
}

}  // namespace platform
