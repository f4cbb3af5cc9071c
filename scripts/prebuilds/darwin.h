// What the addon takes from the headers of macOS, which cannot be had on the machine that builds.
// declarations.mjs puts this file in the place of each header. A build on macOS itself takes
// Apple's own.
//
// The numbers are the kernel's ABI, the same on both processors. With Apple's headers of macOS 11
// the addons had the same bytes. Debian's golang-golang-x-sys-dev (unix/zerrors_darwin_arm64.go)
// and librust-libc-dev list most of them too.

#ifndef SOCKET_OPTIONS_DARWIN_H_
#define SOCKET_OPTIONS_DARWIN_H_

#include "bsd.h"

extern "C" {

int sysctl(int* name, u_int depth, void* old, size_t* old_length, void* next, size_t next_length);
int sysctlbyname(const char* name, void* old, size_t* old_length, void* next, size_t next_length);

}  // extern "C"

#define AF_INET 2
#define AF_INET6 30
#define AF_ROUTE 17
#define AF_SYSTEM 32
#define AF_UNIX 1
#define CTLTYPE 15
#define CTLTYPE_NODE 1
#define CTLTYPE_STRING 3
#define CTLTYPE_STRUCT 5
#define CTL_MAXNAME 12
#define EAGAIN 35
#define EBADF 9
#define EINTR 4
#define ENOMEM 12
#define ENOTSUP 45
#define FD_CLOEXEC 1
#define FIONREAD 1074030207
#define F_SETFD 2
#define F_SETFL 4
#define IPPROTO_ICMP 1
#define IPPROTO_ICMPV6 58
#define IPPROTO_IP 0
#define IPPROTO_IPV6 41
#define IPPROTO_RAW 255
#define IPPROTO_SCTP 132
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPV6_AUTOFLOWLABEL 59
#define IPV6_BOUND_IF 125
#define IPV6_CHECKSUM 26
#define IPV6_DONTFRAG 62
#define IPV6_DSTOPTS 50
#define IPV6_HOPLIMIT 47
#define IPV6_HOPOPTS 49
#define IPV6_JOIN_GROUP 12
#define IPV6_LEAVE_GROUP 13
#define IPV6_MSFILTER 74
#define IPV6_MULTICAST_HOPS 10
#define IPV6_MULTICAST_IF 9
#define IPV6_MULTICAST_LOOP 11
#define IPV6_NEXTHOP 48
#define IPV6_PATHMTU 44
#define IPV6_PKTINFO 46
#define IPV6_PORTRANGE 14
#define IPV6_PORTRANGE_DEFAULT 0
#define IPV6_PORTRANGE_HIGH 1
#define IPV6_PORTRANGE_LOW 2
#define IPV6_PREFER_TEMPADDR 63
#define IPV6_RECVDSTOPTS 40
#define IPV6_RECVHOPLIMIT 37
#define IPV6_RECVHOPOPTS 39
#define IPV6_RECVPATHMTU 43
#define IPV6_RECVPKTINFO 61
#define IPV6_RECVRTHDR 38
#define IPV6_RECVTCLASS 35
#define IPV6_RTHDR 51
#define IPV6_RTHDRDSTOPTS 57
#define IPV6_TCLASS 36
#define IPV6_UNICAST_HOPS 4
#define IPV6_USE_MIN_MTU 42
#define IPV6_V6ONLY 27
#define IP_ADD_MEMBERSHIP 12
#define IP_ADD_SOURCE_MEMBERSHIP 70
#define IP_BLOCK_SOURCE 72
#define IP_BOUND_IF 25
#define IP_DONTFRAG 28
#define IP_DROP_MEMBERSHIP 13
#define IP_DROP_SOURCE_MEMBERSHIP 71
#define IP_HDRINCL 2
#define IP_MSFILTER 74
#define IP_MULTICAST_IF 9
#define IP_MULTICAST_IFINDEX 66
#define IP_MULTICAST_LOOP 11
#define IP_MULTICAST_TTL 10
#define IP_MULTICAST_VIF 14
#define IP_OPTIONS 1
#define IP_PKTINFO 26
#define IP_PORTRANGE 19
#define IP_PORTRANGE_DEFAULT 0
#define IP_PORTRANGE_HIGH 1
#define IP_PORTRANGE_LOW 2
#define IP_RECVDSTADDR 7
#define IP_RECVIF 20
#define IP_RECVOPTS 5
#define IP_RECVPKTINFO 26
#define IP_RECVRETOPTS 6
#define IP_RECVTOS 27
#define IP_RECVTTL 24
#define IP_RETOPTS 8
#define IP_STRIPHDR 23
#define IP_TOS 3
#define IP_TTL 4
#define IP_UNBLOCK_SOURCE 73
#define NET_SERVICE_TYPE_AV 6
#define NET_SERVICE_TYPE_BE 0
#define NET_SERVICE_TYPE_BK 1
#define NET_SERVICE_TYPE_OAM 7
#define NET_SERVICE_TYPE_RD 8
#define NET_SERVICE_TYPE_RV 5
#define NET_SERVICE_TYPE_SIG 2
#define NET_SERVICE_TYPE_VI 3
#define NET_SERVICE_TYPE_VO 4
#define O_NONBLOCK 4
#define PERSIST_TIMEOUT 64
#define POLLIN 1
#define POLLOUT 4
#define POLLPRI 2
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_RDM 4
#define SOCK_SEQPACKET 5
#define SOCK_STREAM 1
#define SOL_SOCKET 65535
#define SONPX_SETOPTSHUT 1
#define SO_ACCEPTCONN 2
#define SO_BROADCAST 32
#define SO_DEBUG 1
#define SO_DONTROUTE 16
#define SO_DONTTRUNC 8192
#define SO_ERROR 4103
#define SO_KEEPALIVE 8
#define SO_LINGER 128
#define SO_LINGER_SEC 4224
#define SO_NETSVC_MARKING_LEVEL 4377
#define SO_NET_SERVICE_TYPE 4374
#define SO_NOADDRERR 4131
#define SO_NOSIGPIPE 4130
#define SO_NP_EXTENSIONS 4227
#define SO_NREAD 4128
#define SO_NUMRCVPKT 4370
#define SO_NWRITE 4132
#define SO_OOBINLINE 256
#define SO_RANDOMPORT 4226
#define SO_RCVBUF 4098
#define SO_RCVLOWAT 4100
#define SO_RCVTIMEO 4102
#define SO_REUSEADDR 4
#define SO_REUSEPORT 512
#define SO_REUSESHAREUID 4133
#define SO_SNDBUF 4097
#define SO_SNDLOWAT 4099
#define SO_SNDTIMEO 4101
#define SO_TIMESTAMP 1024
#define SO_TIMESTAMP_MONOTONIC 2048
#define SO_TYPE 4104
#define SO_USELOOPBACK 64
#define SO_WANTMORE 16384
#define SO_WANTOOBFLAG 32768
#define TCP_CONNECTIONTIMEOUT 32
#define TCP_ENABLE_ECN 260
#define TCP_FASTOPEN 261
#define TCP_KEEPALIVE 16
#define TCP_KEEPCNT 258
#define TCP_KEEPINTVL 257
#define TCP_MAXSEG 2
#define TCP_NODELAY 1
#define TCP_NOOPT 8
#define TCP_NOPUSH 4
#define TCP_NOTSENT_LOWAT 513
#define TCP_RXT_CONNDROPTIME 128
#define TCP_RXT_FINDROP 256
#define TCP_SENDMOREACKS 259
#define UDP_NOCKSUM 1

#endif  // SOCKET_OPTIONS_DARWIN_H_
