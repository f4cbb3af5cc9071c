// The contract between the addon and an operating system: everything that differs between systems.
// Each system implements all of it. The files of a system begin with its name; posix.cc is shared
// by Linux, macOS and FreeBSD, bsd.cc by macOS and FreeBSD, connection_snapshot.cc by macOS and
// Windows. binding.gyp selects the files.
//
// Functions that return an int or a Socket return zero or more on success. Below zero is a negative
// libuv error code, which Node calls `errno`: UV_EINVAL is -22 on Linux, -4071 on Windows.

#ifndef SOCKET_OPTIONS_PLATFORM_H_
#define SOCKET_OPTIONS_PLATFORM_H_

#include <cstddef>
#include <cstdint>

namespace platform {

// A POSIX descriptor or a Windows SOCKET.
using Socket = std::intptr_t;

// libuv's type of a descriptor (uv_os_fd_t).
#ifdef _WIN32
using Descriptor = std::intptr_t;
#else
using Descriptor = int;
#endif

// Whether the addon searches for the sockets of libuv's handles. Windows needs it, and Linux tests
// it. The others go without native/handles.cc: it would only cost memory, on macOS for arm64 a page
// of 16 kB.
#if defined(_WIN32) || defined(__linux__)
constexpr bool kFindsHandles = true;
#else
constexpr bool kFindsHandles = false;
#endif

// Whether the addon reads the subflows of Multipath TCP. The other systems go without
// native/subflows.cc.
#ifdef __linux__
constexpr bool kHasSubflows = true;
#else
constexpr bool kHasSubflows = false;
#endif

// The code of a closed descriptor: UV_EBADF.
extern const int kClosed;

// The level of a constant that is not an option itself: SOL_SOCKET, AF_INET, IP_PMTUDISC_DO.
constexpr int kNoLevel = -1;

// A name and its value in the system's headers. Names, units and ranges of options are only in
// lib/catalogue/.
struct Constant {
  const char* name;
  int level;
  int value;
};

extern const Constant kConstants[];
extern const std::size_t kConstantCount;

// setsockopt(2).
int SetOption(Socket socket, int level, int option, const void* value, int length);

// getsockopt(2). `*length` is first the room at `value`, then the number of bytes that the kernel
// wrote: never more than the room. The room is zeroed first, for two reasons. Some options read
// input from it (TCP_AO_INFO). And Windows writes one byte of a boolean: the caller reads an int.
int GetOption(Socket socket, int level, int option, void* value, int* length);

// socket(2), nonblocking and not inherited by child processes.
Socket OpenSocket(int family, int type, int protocol);
void CloseSocket(Socket socket);

// Opens a TCP socket whose options have the system's defaults: an IPv6 socket if `level` is
// IPPROTO_IPV6, otherwise an IPv4 socket.
Socket OpenTcpSocket(int level);

// getsockname(2), or getpeername(2) if `peer`. `*length` as for GetOption.
int GetName(Socket socket, bool peer, void* address, int* length);

// Returns a function that the running program exports, or null. Used for Node's libuv.
using HostFunction = void (*)();
HostFunction FindHostFunction(const char* name);

// Sets the keepalive values in one request, in milliseconds: SIO_KEEPALIVE_VALS, the only way on
// Windows before 10.1709. UV_ENOTSUP on other systems.
int SetKeepAliveValues(Socket socket, bool enable, std::uint32_t initial_delay,
                       std::uint32_t interval);

// Writes what the kernel knows of a TCP connection, in the system's own layout: TCP_INFO on Linux
// and FreeBSD, TCP_CONNECTION_INFO on macOS, the newest TCP_INFO_v<n> of SIO_TCP_INFO on Windows.
// Returns the length, at most `room`. The length shows lib/tcp-info/ which fields are there.
int GetTcpInfo(Socket socket, void* info, std::size_t room);

// Reads an option of SOL_MPTCP that describes subflows: MPTCP_FULL_INFO, MPTCP_TCPINFO or
// MPTCP_SUBFLOW_ADDRS. Zeroes `bytes` and writes the head of the structure first. The kernel writes
// no more than `length` bytes there, and nowhere else. Returns the length that the kernel reports.
// Only if kHasSubflows.
int GetSubflows(Socket socket, int option, void* bytes, std::size_t length);

// Stores a number that identifies this socket until the system restarts (SO_COOKIE). Stores nothing
// when it fails: with kClosed if this is not a socket, UV_ENOTSUP on systems without such a number.
int GetIdentity(Socket socket, std::uint64_t* identity);

// Stores how many bytes wait: unread (SIOCINQ), unacknowledged and unsent together (SIOCOUTQ),
// unsent (SIOCOUTQNSD). Stores -1 for each number that the system does not report.
int GetQueues(Socket socket, std::int32_t queues[3]);

// Returns 1 if the socket is connected, has room for data to send, and nothing waits to be read: no
// data, no FIN, no error. Otherwise 0, also for a closed socket. It only looks: a pending error
// stays pending. One system call.
int IsReusable(Socket socket);

// The connections of the system, except of FreeBSD: UV_ENOTSUP. Queries and answers have the
// system's own layout: messages of sock_diag on Linux, records of net.inet.tcp.pcblist_n on macOS,
// rows of GetExtendedTcpTable on Windows. lib/connections/ writes and decodes them.
//
// Functions with a parameter `call`: if a system call failed, they store its name there. If the
// system refused the query, they store nothing or null.
class ConnectionTable;

// Sends the query. On success `*table` is an open table; close it.
int OpenConnectionTable(const void* query, std::size_t length, ConnectionTable** table,
                        const char** call);

// Returns the length of the next part of the answer; 0 after the last part. On Linux a part has
// whole messages. Waits for nothing but the kernel.
int ReadConnectionTable(ConnectionTable* table, void* bytes, std::size_t room, const char** call);

void CloseConnectionTable(ConnectionTable* table);

// Ends a connection of any process.
int DestroyConnection(const void* query, std::size_t length, const char** call);

// Opens a table that grows: a thread adds each TCP socket of the network namespace that closes. The
// table keeps at most `limit` unread sockets, and counts those that it drops. The thread calls
// `wake` when there is something to read, and again only after a read that returned 0; never after
// the table is closed. UV_ENOTSUP except on Linux.
int WatchClosedConnections(std::size_t limit, void (*wake)(void* context), void* context,
                           ConnectionTable** table, const char** call);

// Writes the text of a system-wide setting and returns its length. `name` is a sysctl, or on
// Windows a value of the TCP/IP parameters in the registry.
int ReadSetting(const char* name, char* text, std::size_t room);

}  // namespace platform

#endif  // SOCKET_OPTIONS_PLATFORM_H_
