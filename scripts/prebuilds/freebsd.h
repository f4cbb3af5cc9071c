// What the addon takes from FreeBSD's headers, which cannot be had on the machine that builds.
// declarations.mjs puts this file in the place of each header. A build on FreeBSD itself takes
// FreeBSD's own.
//
// The numbers are the kernel's ABI on x64, the same from FreeBSD 13 on. Debian's
// golang-golang-x-sys-dev (unix/zerrors_freebsd_amd64.go) and librust-libc-dev
// (src/unix/bsd/freebsdlike) list them too.

#ifndef SOCKET_OPTIONS_FREEBSD_H_
#define SOCKET_OPTIONS_FREEBSD_H_

#include "bsd.h"

extern "C" {

int getosreldate();
int sysctl(const int* name, u_int depth, void* old, size_t* old_length, const void* next,
           size_t next_length);

}  // extern "C"

#define AF_INET 2
#define AF_INET6 28
#define AF_ROUTE 17
#define AF_UNIX 1
#define CTLTYPE 0xf
#define CTLTYPE_NODE 1
#define CTLTYPE_STRING 3
#define CTLTYPE_STRUCT 5
#define CTL_MAXNAME 24
#define EAGAIN 35
#define EBADF 9
#define EINTR 4
#define ENOTSUP 45
#define FD_CLOEXEC 1
#define FIONREAD 0x4004667f
#define FIONWRITE 0x40046677
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
#define IPV6_BINDANY 64
#define IPV6_CHECKSUM 26
#define IPV6_DONTFRAG 62
#define IPV6_DSTOPTS 50
#define IPV6_FLOWID 67
#define IPV6_FLOWTYPE 68
#define IPV6_HOPLIMIT 47
#define IPV6_HOPOPTS 49
#define IPV6_IPSEC_POLICY 28
#define IPV6_JOIN_GROUP 12
#define IPV6_LEAVE_GROUP 13
#define IPV6_MSFILTER 74
#define IPV6_MULTICAST_HOPS 10
#define IPV6_MULTICAST_IF 9
#define IPV6_MULTICAST_LOOP 11
#define IPV6_NEXTHOP 48
#define IPV6_ORIGDSTADDR 72
#define IPV6_PATHMTU 44
#define IPV6_PKTINFO 46
#define IPV6_PORTRANGE 14
#define IPV6_PORTRANGE_DEFAULT 0
#define IPV6_PORTRANGE_HIGH 1
#define IPV6_PORTRANGE_LOW 2
#define IPV6_PREFER_TEMPADDR 63
#define IPV6_RECVDSTOPTS 40
#define IPV6_RECVFLOWID 70
#define IPV6_RECVHOPLIMIT 37
#define IPV6_RECVHOPOPTS 39
#define IPV6_RECVORIGDSTADDR 72
#define IPV6_RECVPATHMTU 43
#define IPV6_RECVPKTINFO 36
#define IPV6_RECVRTHDR 38
#define IPV6_RECVTCLASS 57
#define IPV6_RTHDR 51
#define IPV6_RTHDRDSTOPTS 35
#define IPV6_TCLASS 61
#define IPV6_UNICAST_HOPS 4
#define IPV6_USE_MIN_MTU 42
#define IPV6_V6ONLY 27
#define IPV6_VLAN_PCP 75
#define IP_ADD_MEMBERSHIP 12
#define IP_ADD_SOURCE_MEMBERSHIP 70
#define IP_BINDANY 24
#define IP_BLOCK_SOURCE 72
#define IP_DONTFRAG 67
#define IP_DROP_MEMBERSHIP 13
#define IP_DROP_SOURCE_MEMBERSHIP 71
#define IP_FLOWID 90
#define IP_FLOWTYPE 91
#define IP_HDRINCL 2
#define IP_IPSEC_POLICY 21
#define IP_MINTTL 66
#define IP_MSFILTER 74
#define IP_MULTICAST_IF 9
#define IP_MULTICAST_LOOP 11
#define IP_MULTICAST_TTL 10
#define IP_MULTICAST_VIF 14
#define IP_ONESBCAST 23
#define IP_OPTIONS 1
#define IP_ORIGDSTADDR 27
#define IP_PORTRANGE 19
#define IP_PORTRANGE_DEFAULT 0
#define IP_PORTRANGE_HIGH 1
#define IP_PORTRANGE_LOW 2
#define IP_RECVDSTADDR 7
#define IP_RECVFLOWID 93
#define IP_RECVIF 20
#define IP_RECVOPTS 5
#define IP_RECVORIGDSTADDR 27
#define IP_RECVRETOPTS 6
#define IP_RECVTOS 68
#define IP_RECVTTL 65
#define IP_RETOPTS 8
#define IP_SENDSRCADDR 7
#define IP_TOS 3
#define IP_TTL 4
#define IP_UNBLOCK_SOURCE 73
#define IP_VLAN_PCP 75
#define O_NONBLOCK 4
#define POLLIN 1
#define POLLOUT 4
#define POLLPRI 2
#define SOCK_CLOEXEC 0x10000000
#define SOCK_DGRAM 2
#define SOCK_NONBLOCK 0x20000000
#define SOCK_RAW 3
#define SOCK_RDM 4
#define SOCK_SEQPACKET 5
#define SOCK_STREAM 1
#define SOL_SOCKET 65535
#define SO_ACCEPTCONN 2
#define SO_ACCEPTFILTER 4096
#define SO_BINTIME 8192
#define SO_BROADCAST 32
#define SO_DEBUG 1
#define SO_DOMAIN 4121
#define SO_DONTROUTE 16
#define SO_ERROR 4103
#define SO_KEEPALIVE 8
#define SO_LABEL 4105
#define SO_LINGER 128
#define SO_LISTENINCQLEN 4115
#define SO_LISTENQLEN 4114
#define SO_LISTENQLIMIT 4113
#define SO_MAX_PACING_RATE 4120
#define SO_NOSIGPIPE 2048
#define SO_NO_DDP 32768
#define SO_NO_OFFLOAD 16384
#define SO_OOBINLINE 256
#define SO_PEERLABEL 4112
#define SO_PROTOCOL 4118
#define SO_RCVBUF 4098
#define SO_RCVLOWAT 4100
#define SO_RCVTIMEO 4102
#define SO_RERROR 0x20000
#define SO_REUSEADDR 4
#define SO_REUSEPORT 512
#define SO_REUSEPORT_LB 0x10000
#define SO_SETFIB 4116
#define SO_SNDBUF 4097
#define SO_SNDLOWAT 4099
#define SO_SNDTIMEO 4101
#define SO_TIMESTAMP 1024
#define SO_TS_BINTIME 1
#define SO_TS_CLOCK 4119
#define SO_TS_DEFAULT 0
#define SO_TS_MONOTONIC 3
#define SO_TS_REALTIME 2
#define SO_TS_REALTIME_MICRO 0
#define SO_TYPE 4104
#define SO_USELOOPBACK 64
#define SO_USER_COOKIE 4117
#define TCP_CCALGOOPT 65
#define TCP_CONGESTION 64
#define TCP_DATA_AFTER_CLOSE 1100
#define TCP_DELACK 72
#define TCP_FASTOPEN 1025
#define TCP_FUNCTION_BLK 8192
#define TCP_INFO 32
#define TCP_KEEPCNT 1024
#define TCP_KEEPIDLE 256
#define TCP_KEEPINIT 128
#define TCP_KEEPINTVL 512
#define TCP_LOGID 36
#define TCP_MAXSEG 2
#define TCP_MAXUNACKTIME 68
#define TCP_MD5SIG 16
#define TCP_NODELAY 1
#define TCP_NOOPT 8
#define TCP_NOPUSH 4
#define TCP_REMOTE_UDP_ENCAPS_PORT 71

#endif  // SOCKET_OPTIONS_FREEBSD_H_
