// Options, TCP_INFO and settings of Windows: Winsock and the registry.
//
// Nothing here calls WSAStartup: libuv did so before Node loaded any addon, for the whole process.

#include "win32_sdk.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <initializer_list>

#include "constants.h"
#include "win32_calls.h"
#include "win32_errors.h"

namespace platform {

// One line for several entries:
// clang-format off
const Constant kConstants[] = {
    SO(ACCEPTCONN), SO(BROADCAST), SO(BSP_STATE), SO(COMPARTMENT_ID), SO(CONDITIONAL_ACCEPT),
    SO(CONNECT_TIME), SO(DEBUG), SO(DONTLINGER), SO(DONTROUTE), SO(ERROR), SO(EXCLUSIVEADDRUSE),
    SO(GROUP_ID), SO(GROUP_PRIORITY), SO(KEEPALIVE), SO(LINGER), SO(MAX_MSG_SIZE), SO(OOBINLINE),
    SO(ORIGINAL_DST), SO(PAUSE_ACCEPT), SO(PORT_SCALABILITY), SO(PROTOCOL_INFOA),
    SO(PROTOCOL_INFOW), SO(RANDOMIZE_PORT), SO(RCVBUF), SO(RCVLOWAT), SO(RCVTIMEO),
    SO(RECEIVED_HOPLIMIT), SO(RECEIVED_PROCESSOR), SO(REUSEADDR), SO(REUSE_MULTICASTPORT),
    SO(REUSE_UNICASTPORT), SO(SNDBUF), SO(SNDLOWAT), SO(SNDTIMEO), SO(TYPE),
    SO(UPDATE_ACCEPT_CONTEXT), SO(UPDATE_CONNECT_CONTEXT), SO(USELOOPBACK),

    TCP(ATMARK), TCP(BSDURGENT), TCP(CONGESTION_ALGORITHM), TCP(DELAY_FIN_ACK),
    TCP(EXPEDITED_1122), TCP(FAIL_CONNECT_ON_ICMP_ERROR), TCP(FASTOPEN), TCP(ICMP_ERROR_INFO),
    TCP(KEEPCNT), TCP(KEEPIDLE), TCP(KEEPALIVE), TCP(KEEPINTVL), TCP(MAXRT), TCP(MAXRTMS),
    TCP(MAXSEG), TCP(NODELAY), TCP(NOSYNRETRIES), TCP(NOURG), TCP(OFFLOAD_PREFERENCE),
    TCP(STDURG), TCP(TIMESTAMPS),

    UDP(CHECKSUM_COVERAGE), UDP(NOCHECKSUM), UDP(RECV_MAX_COALESCED_SIZE), UDP(SEND_MSG_SIZE),

    IP(ADD_IFLIST), IP(ADD_MEMBERSHIP), IP(ADD_SOURCE_MEMBERSHIP), IP(BLOCK_SOURCE),
    IP(DEL_IFLIST), IP(DONTFRAGMENT), IP(DROP_MEMBERSHIP), IP(DROP_SOURCE_MEMBERSHIP), IP(ECN),
    IP(GET_IFLIST), IP(HDRINCL), IP(HOPLIMIT), IP(IFLIST), IP(MTU), IP(MTU_DISCOVER),
    IP(MULTICAST_IF), IP(MULTICAST_LOOP), IP(MULTICAST_TTL), IP(NRT_INTERFACE), IP(OPTIONS),
    IP(ORIGINAL_ARRIVAL_IF), IP(PKTINFO), IP(PKTINFO_EX), IP(PROTECTION_LEVEL),
    IP(RECEIVE_BROADCAST), IP(RECVDSTADDR), IP(RECVECN), IP(RECVERR), IP(RECVIF), IP(RECVRTHDR),
    IP(RECVTCLASS), IP(RECVTOS), IP(RECVTTL), IP(RTHDR), IP(TCLASS), IP(TOS), IP(TTL),
    IP(UNBLOCK_SOURCE), IP(UNICAST_IF), IP(USER_MTU), IP(WFP_REDIRECT_CONTEXT),
    IP(WFP_REDIRECT_RECORDS),

    IPV6(ADD_IFLIST), IPV6(ADD_MEMBERSHIP), IPV6(CHECKSUM), IPV6(DEL_IFLIST), IPV6(DONTFRAG),
    IPV6(DROP_MEMBERSHIP), IPV6(ECN), IPV6(GET_IFLIST), IPV6(HDRINCL), IPV6(HOPLIMIT),
    IPV6(HOPOPTS), IPV6(IFLIST), IPV6(JOIN_GROUP), IPV6(LEAVE_GROUP), IPV6(MTU),
    IPV6(MTU_DISCOVER), IPV6(MULTICAST_HOPS), IPV6(MULTICAST_IF), IPV6(MULTICAST_LOOP),
    IPV6(NRT_INTERFACE), IPV6(PKTINFO), IPV6(PKTINFO_EX), IPV6(PROTECTION_LEVEL),
    IPV6(RECVDSTADDR), IPV6(RECVECN), IPV6(RECVERR), IPV6(RECVIF), IPV6(RECVRTHDR),
    IPV6(RECVTCLASS), IPV6(RTHDR), IPV6(TCLASS), IPV6(UNICAST_HOPS), IPV6(UNICAST_IF),
    IPV6(USER_MTU), IPV6(V6ONLY), IPV6(WFP_REDIRECT_CONTEXT), IPV6(WFP_REDIRECT_RECORDS),

    VALUE(SOL_SOCKET), VALUE(IPPROTO_IP), VALUE(IPPROTO_IPV6), VALUE(IPPROTO_TCP),
    VALUE(IPPROTO_UDP), VALUE(IPPROTO_SCTP), VALUE(IPPROTO_ICMP), VALUE(IPPROTO_ICMPV6),
    VALUE(IPPROTO_RAW), VALUE(AF_INET), VALUE(AF_INET6), VALUE(AF_UNIX), VALUE(AF_BTH),
    VALUE(AF_HYPERV), VALUE(SOCK_STREAM), VALUE(SOCK_DGRAM), VALUE(SOCK_RAW), VALUE(SOCK_RDM),
    VALUE(SOCK_SEQPACKET), VALUE(IP_PMTUDISC_NOT_SET), VALUE(IP_PMTUDISC_DO),
    VALUE(IP_PMTUDISC_DONT), VALUE(IP_PMTUDISC_PROBE), VALUE(PROTECTION_LEVEL_UNRESTRICTED),
    VALUE(PROTECTION_LEVEL_EDGERESTRICTED), VALUE(PROTECTION_LEVEL_RESTRICTED),
};
// clang-format on
const std::size_t kConstantCount = sizeof(kConstants) / sizeof(kConstants[0]);

int SetOption(Socket socket, int level, int option, const void* value, int length) {
  const int status = kWin32Calls.set_option(static_cast<SOCKET>(socket), level, option,
                                            static_cast<const char*>(value), length);
  return status == 0 ? 0 : LastSocketError();
}

int GetOption(Socket socket, int level, int option, void* value, int* length) {
  const int room = *length;
  std::memset(value, 0, static_cast<std::size_t>(room));
  const int status = kWin32Calls.get_option(static_cast<SOCKET>(socket), level, option,
                                            static_cast<char*>(value), length);
  *length = std::clamp(*length, 0, room);
  return status == 0 ? 0 : LastSocketError();
}

// libuv makes it nonblocking, when it takes it over.
Socket OpenSocket(int family, int type, int protocol) {
  const SOCKET socket = WSASocketW(family, type, protocol, nullptr, 0,
                                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  return socket == INVALID_SOCKET ? LastSocketError() : static_cast<Socket>(socket);
}

Socket OpenTcpSocket(int level) {
  return OpenSocket(level == IPPROTO_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP);
}

void CloseSocket(Socket socket) {
  closesocket(static_cast<SOCKET>(socket));
}

int GetName(Socket socket, bool peer, void* address, int* length) {
  const auto name = peer ? getpeername : getsockname;
  const int room = *length;
  std::memset(address, 0, static_cast<std::size_t>(room));
  const int status = name(static_cast<SOCKET>(socket), static_cast<sockaddr*>(address), length);
  *length = std::clamp(*length, 0, room);
  return status == 0 ? 0 : LastSocketError();
}

// WSAPoll refuses POLLPRI; POLLRDBAND has its meaning. A FIN is POLLHUP, a reset POLLERR and
// POLLHUP.
int IsReusable(Socket socket) {
  WSAPOLLFD state = {static_cast<SOCKET>(socket), POLLRDNORM | POLLRDBAND | POLLWRNORM, 0};
  if (WSAPoll(&state, 1, 0) == SOCKET_ERROR) {
    // If no socket is open: not POLLNVAL.
    return WSAGetLastError() == WSAENOTSOCK ? 0 : LastSocketError();
  }
  return state.revents == POLLWRNORM ? 1 : 0;
}

HostFunction FindHostFunction(const char* name) {
  // Node is a library of the program, or the program itself.
  for (const HMODULE module : {GetModuleHandleW(L"libnode.dll"), GetModuleHandleW(nullptr)}) {
    const FARPROC found = module == nullptr ? nullptr : GetProcAddress(module, name);
    if (found != nullptr) return reinterpret_cast<HostFunction>(reinterpret_cast<void*>(found));
  }
  return nullptr;
}

int SetKeepAliveValues(Socket socket, bool enable, std::uint32_t initial_delay,
                       std::uint32_t interval) {
  tcp_keepalive values{};
  values.onoff = enable ? 1 : 0;
  values.keepalivetime = initial_delay;
  values.keepaliveinterval = interval;
  DWORD returned = 0;
  const int status = kWin32Calls.control(static_cast<SOCKET>(socket), SIO_KEEPALIVE_VALS, &values,
                                         sizeof(values), nullptr, 0, &returned, nullptr, nullptr);
  return status == 0 ? 0 : LastSocketError();
}

int ReadSetting(const char* name, char* text, std::size_t room) {
  static constexpr char kKey[] = "SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters";
  DWORD type = 0;
  DWORD size = static_cast<DWORD>(room);
  const LSTATUS status = RegGetValueA(HKEY_LOCAL_MACHINE, kKey, name,
                                      RRF_RT_REG_DWORD | RRF_RT_REG_SZ, &type, text, &size);
  if (status != ERROR_SUCCESS) return ToUvError(static_cast<DWORD>(status));
  // The size of a text includes the NUL that ends it.
  if (type == REG_SZ) return static_cast<int>(std::max<DWORD>(size, 1)) - 1;
  DWORD number = 0;
  std::memcpy(&number, text, sizeof(number));
  return static_cast<int>(std::to_chars(text, text + room, number).ptr - text);
}

// Requests the newest version that this Windows has (2, 1 or 0), and remembers which that is.
int GetTcpInfo(Socket socket, void* info, std::size_t room) {
  static constexpr DWORD kTcpInfo = 0xd8000027;  // SIO_TCP_INFO, _WSAIORW(IOC_VENDOR, 39)
  static std::atomic<DWORD> newest{2};
  int refusal = 0;
  std::memset(info, 0, room);
  for (DWORD version = newest.load(std::memory_order_relaxed) + 1; version-- > 0;) {
    DWORD returned = 0;
    if (kWin32Calls.control(static_cast<SOCKET>(socket), kTcpInfo, &version, sizeof(version), info,
                            static_cast<DWORD>(room), &returned, nullptr, nullptr) == 0) {
      // Only after a success: a refusal may be about this socket and not about the version.
      newest.store(version, std::memory_order_relaxed);
      return static_cast<int>(std::min(returned, static_cast<DWORD>(room)));
    }
    const int error = WSAGetLastError();
    if (refusal == 0) refusal = ToUvError(static_cast<DWORD>(error));
    // It is not documented which of these two reports an unknown version.
    if (error != WSAEINVAL && error != WSAEOPNOTSUPP) break;
  }
  return refusal;
}

int GetIdentity(Socket, std::uint64_t*) {
  return UV_ENOTSUP;
}

const int kClosed = UV_EBADF;

int GetQueues(Socket socket, std::int32_t queues[3]) {
  u_long unread = 0;
  const bool is_known = ioctlsocket(static_cast<SOCKET>(socket), FIONREAD, &unread) == 0;
  queues[0] = is_known ? static_cast<std::int32_t>(unread) : -1;
  queues[1] = -1;
  queues[2] = -1;
  return 0;
}

}  // namespace platform
