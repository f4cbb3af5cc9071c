// The facts of Windows: Winsock, the registry, and their errors as libuv codes.
//
// Nothing here calls WSAStartup: libuv has done so before Node loads any addon, and it holds for
// the whole process.

#include "win32_sdk.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <atomic>
#include <initializer_list>
#include <memory>

#include "constants.h"
#include "snapshot.h"
#include "win32_calls.h"

namespace platform {

namespace {

// What libuv calls these errors on Windows (uv/errno.h), where it has numbers of its own. libuv has
// a translation too, but does not know the errors of socket options: WSAENOPROTOOPT is UNKNOWN.
enum UvError : int {
  UV_UNKNOWN = -4094,
  UV_EACCES = -4092,
  UV_EADDRINUSE = -4091,
  UV_EADDRNOTAVAIL = -4090,
  UV_EAFNOSUPPORT = -4089,
  UV_EAGAIN = -4088,
  UV_EALREADY = -4084,
  UV_EBADF = -4083,
  UV_ECONNABORTED = -4079,
  UV_ECONNREFUSED = -4078,
  UV_ECONNRESET = -4077,
  UV_EDESTADDRREQ = -4076,
  UV_EFAULT = -4074,
  UV_EHOSTUNREACH = -4073,
  UV_EINTR = -4072,
  UV_EINVAL = -4071,
  UV_EISCONN = -4069,
  UV_EMFILE = -4066,
  UV_EMSGSIZE = -4065,
  UV_ENETDOWN = -4063,
  UV_ENETUNREACH = -4062,
  UV_ENOBUFS = -4060,
  UV_ENOENT = -4058,
  UV_ENOMEM = -4057,
  UV_ENOTCONN = -4053,
  UV_ENOTSOCK = -4050,
  UV_ENOTSUP = -4049,
  UV_EPERM = -4048,
  UV_EPROTONOSUPPORT = -4045,
  UV_EPROTOTYPE = -4044,
  UV_ESHUTDOWN = -4042,
  UV_ETIMEDOUT = -4039,
  UV_ENOPROTOOPT = -4035,
  UV_EOVERFLOW = -4026,
  UV_ESOCKTNOSUPPORT = -4025,
};

int Translate(DWORD error) {
  switch (error) {
    // Of the registry.
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      return UV_ENOENT;
    case ERROR_ACCESS_DENIED:
      return UV_EPERM;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
      return UV_ENOMEM;
    case ERROR_MORE_DATA:
      return UV_EOVERFLOW;
    case ERROR_UNSUPPORTED_TYPE:
      return UV_ENOTSUP;
    // Of Winsock.
    case WSAEACCES:
      return UV_EACCES;
    case WSAEADDRINUSE:
      return UV_EADDRINUSE;
    case WSAEADDRNOTAVAIL:
      return UV_EADDRNOTAVAIL;
    case WSAEAFNOSUPPORT:
      return UV_EAFNOSUPPORT;
    case WSAEALREADY:
      return UV_EALREADY;
    case WSAEBADF:
      return UV_EBADF;
    case WSAECONNABORTED:
      return UV_ECONNABORTED;
    case WSAECONNREFUSED:
      return UV_ECONNREFUSED;
    case WSAECONNRESET:
    case WSAENETRESET:  // What setting an option of a connection that keepalive ended gives.
      return UV_ECONNRESET;
    case WSAEDESTADDRREQ:
      return UV_EDESTADDRREQ;
    case WSAEFAULT:
      return UV_EFAULT;
    case WSAEHOSTUNREACH:
      return UV_EHOSTUNREACH;
    case WSAEINTR:
      return UV_EINTR;
    case WSAEINVAL:
      return UV_EINVAL;
    case WSAEISCONN:
      return UV_EISCONN;
    case WSAEMFILE:
      return UV_EMFILE;
    case WSAEMSGSIZE:
      return UV_EMSGSIZE;
    case WSAENETDOWN:
      return UV_ENETDOWN;
    case WSAENETUNREACH:
      return UV_ENETUNREACH;
    case WSAENOBUFS:
      return UV_ENOBUFS;
    case WSAENOPROTOOPT:
      return UV_ENOPROTOOPT;
    case WSAENOTCONN:
      return UV_ENOTCONN;
    case WSAENOTSOCK:
      return UV_ENOTSOCK;
    case WSAEOPNOTSUPP:
      return UV_ENOTSUP;
    case WSAEPROTONOSUPPORT:
      return UV_EPROTONOSUPPORT;
    case WSAEPROTOTYPE:
      return UV_EPROTOTYPE;
    case WSAESHUTDOWN:
      return UV_ESHUTDOWN;
    case WSAESOCKTNOSUPPORT:
      return UV_ESOCKTNOSUPPORT;
    case WSAETIMEDOUT:
      return UV_ETIMEDOUT;
    case WSAEWOULDBLOCK:
      return UV_EAGAIN;
    default:
      return UV_UNKNOWN;
  }
}

int LastError() {
  return Translate(static_cast<DWORD>(WSAGetLastError()));
}

template <typename Function>
Function As(FARPROC address) {
  Function function;
  static_assert(sizeof(function) == sizeof(address), "both are addresses of functions");
  std::memcpy(&function, &address, sizeof(function));
  return function;
}

SOCKET NewSocket(int family) {
  return WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                    WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}

}  // namespace

// A table reads as a table:
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
  return status == 0 ? 0 : LastError();
}

int GetOption(Socket socket, int level, int option, void* value, int* length) {
  const int room = *length;
  std::memset(value, 0, static_cast<std::size_t>(room));
  const int status = kWin32Calls.get_option(static_cast<SOCKET>(socket), level, option,
                                            static_cast<char*>(value), length);
  *length = std::clamp(*length, 0, room);
  return status == 0 ? 0 : LastError();
}

Socket OpenSocket(int level) {
  const SOCKET socket = NewSocket(level == IPPROTO_IPV6 ? AF_INET6 : AF_INET);
  return socket == INVALID_SOCKET ? LastError() : static_cast<Socket>(socket);
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
  return status == 0 ? 0 : LastError();
}

HostFunction FindHostFunction(const char* name) {
  // Where the program has Node as a library, it is there; else in the program itself.
  for (const HMODULE module : {GetModuleHandleW(L"libnode.dll"), GetModuleHandleW(nullptr)}) {
    const FARPROC found = module == nullptr ? nullptr : GetProcAddress(module, name);
    if (found != nullptr) return As<HostFunction>(found);
  }
  return nullptr;
}

int SetKeepAliveValues(Socket socket, bool enable, std::uint32_t initial_delay,
                       std::uint32_t interval) {
  tcp_keepalive values;
  values.onoff = enable ? 1 : 0;
  values.keepalivetime = initial_delay;
  values.keepaliveinterval = interval;
  DWORD returned = 0;
  const int status = kWin32Calls.control(static_cast<SOCKET>(socket), SIO_KEEPALIVE_VALS, &values,
                                         sizeof(values), nullptr, 0, &returned, nullptr, nullptr);
  return status == 0 ? 0 : LastError();
}

int ReadSetting(const char* name, char* text, std::size_t room) {
  static constexpr char kKey[] = "SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters";
  DWORD type = 0;
  DWORD size = static_cast<DWORD>(room);
  const LSTATUS status = RegGetValueA(HKEY_LOCAL_MACHINE, kKey, name,
                                      RRF_RT_REG_DWORD | RRF_RT_REG_SZ, &type, text, &size);
  if (status != ERROR_SUCCESS) return Translate(static_cast<DWORD>(status));
  // The size of a text counts the NUL that ends it.
  if (type == REG_SZ) return static_cast<int>(std::max<DWORD>(size, 1)) - 1;
  DWORD number;
  std::memcpy(&number, text, sizeof(number));
  return static_cast<int>(std::to_chars(text, text + room, number).ptr - text);
}

// Asks for the newest version that this Windows has: 2, 1 or 0, and remembers which that is.
int GetTcpInfo(Socket socket, void* info, std::size_t room) {
  static constexpr DWORD kTcpInfo = 0xd8000027;  // SIO_TCP_INFO, _WSAIORW(IOC_VENDOR, 39)
  static std::atomic<DWORD> newest{2};
  int refusal = 0;
  std::memset(info, 0, room);
  for (DWORD version = newest.load(std::memory_order_relaxed) + 1; version-- > 0;) {
    DWORD returned = 0;
    if (kWin32Calls.control(static_cast<SOCKET>(socket), kTcpInfo, &version, sizeof(version), info,
                            static_cast<DWORD>(room), &returned, nullptr, nullptr) == 0) {
      // Not after a refusal, which may be about this socket and not about the version.
      newest.store(version, std::memory_order_relaxed);
      return static_cast<int>(std::min(returned, static_cast<DWORD>(room)));
    }
    const int error = WSAGetLastError();
    if (refusal == 0) refusal = Translate(static_cast<DWORD>(error));
    // Which of the two an unknown version is, is not documented.
    if (error != WSAEINVAL && error != WSAEOPNOTSUPP) break;
  }
  return refusal;
}

int Identify(Socket, std::uint64_t*) {
  return UV_ENOTSUP;
}

const int kClosed = UV_EBADF;

int GetQueues(Socket socket, std::int32_t queues[3]) {
  u_long unread = 0;
  const bool told = ioctlsocket(static_cast<SOCKET>(socket), FIONREAD, &unread) == 0;
  queues[0] = told ? static_cast<std::int32_t>(unread) : -1;
  queues[1] = -1;
  queues[2] = -1;
  return 0;
}

namespace {

// Not linked, so that a program that lists nothing does not load the library.
FARPROC HelperFunction(const char* name) {
  const HMODULE library = LoadLibraryExW(L"iphlpapi.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
  return library == nullptr ? nullptr : GetProcAddress(library, name);
}

}  // namespace

// The query is one byte: the address family. The answer is a MIB_TCPTABLE_OWNER_PID, or a
// MIB_TCP6TABLE_OWNER_PID.
int OpenConnectionTable(const void* query, std::size_t length, ConnectionTable** table,
                        const char**) {
  using GetTable = DWORD(WINAPI*)(void*, DWORD*, BOOL, ULONG, int, ULONG);
  static constexpr int kOwnerPidAll = 5;  // TCP_TABLE_OWNER_PID_ALL
  if (length != 1) return UV_EINVAL;
  const auto get_table = As<GetTable>(HelperFunction("GetExtendedTcpTable"));
  if (get_table == nullptr) return UV_ENOTSUP;
  std::unique_ptr<ConnectionTable> snapshot(new ConnectionTable());
  const ULONG family = *static_cast<const unsigned char*>(query);
  DWORD size = 64 * 1024;
  // Connections may come between being told the size and asking for the table.
  for (int attempt = 0; attempt < 5; attempt++) {
    void* bytes = snapshot->Reserve(size);
    if (bytes == nullptr) return UV_ENOMEM;
    DWORD filled = size;
    const DWORD status = get_table(bytes, &filled, FALSE, family, kOwnerPidAll, 0);
    if (status == NO_ERROR) {
      snapshot->Fill(filled);
      *table = snapshot.release();
      return 0;
    }
    if (status != ERROR_INSUFFICIENT_BUFFER) return Translate(status);
    size = filled + filled / 4;
  }
  return UV_EAGAIN;
}

int ReadConnectionTable(ConnectionTable* table, void* bytes, std::size_t room, const char**) {
  return table->Read(bytes, room);
}

void CloseConnectionTable(ConnectionTable* table) {
  delete table;
}

// The query is a MIB_TCPROW whose state is MIB_TCP_STATE_DELETE_TCB.
int DestroyConnection(const void* query, std::size_t length, const char**) {
  using SetEntry = DWORD(WINAPI*)(void*);
  std::uint32_t row[5];
  if (length != sizeof(row)) return UV_EINVAL;
  const auto set_entry = As<SetEntry>(HelperFunction("SetTcpEntry"));
  if (set_entry == nullptr) return UV_ENOTSUP;
  std::memcpy(row, query, sizeof(row));
  const DWORD status = set_entry(row);
  // What it says to a process that is not elevated is not the same everywhere.
  if (status == ERROR_ACCESS_DENIED || status == ERROR_MR_MID_NOT_FOUND) return UV_EPERM;
  return status == NO_ERROR ? 0 : Translate(status);
}

int WatchClosedConnections(std::size_t, void (*)(void*), void*, ConnectionTable**, const char**) {
  return UV_ENOTSUP;
}

}  // namespace platform
