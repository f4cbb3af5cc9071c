// The contract between the addon and an operating system: everything that differs between
// systems, and nothing else. Each system implements all of it (linux.cc, darwin.cc, win32.cc;
// posix.cc holds what two of them share) and binding.gyp picks the files.
//
// One return rule for every function: zero or more is the answer, below zero is a negative libuv
// error code, which is what Node itself calls `errno` (UV_EINVAL is -22 on Linux, -4071 on
// Windows).

#ifndef SOCKET_OPTIONS_PLATFORM_H_
#define SOCKET_OPTIONS_PLATFORM_H_

#include <cstddef>
#include <cstdint>

namespace platform {

// A POSIX descriptor or a Windows SOCKET.
using Socket = std::intptr_t;

// The level of a constant that is not an option itself: SOL_SOCKET, AF_INET, IP_PMTUDISC_DO.
constexpr int kNoLevel = -1;

// A name from the system's headers, with the value that they give it. lib/catalogue/ is the
// only place that states what an option is called, its unit and its range.
struct Constant {
  const char* name;
  int level;
  int value;
};

extern const Constant kConstants[];
extern const std::size_t kConstantCount;

// As libuv has a descriptor (uv_os_fd_t).
#ifdef _WIN32
using Descriptor = std::intptr_t;
#else
using Descriptor = int;
#endif

// setsockopt(2).
int SetOption(Socket socket, int level, int option, const void* value, int length);

// getsockopt(2). `length` comes in as the room at `value` and goes out as what the kernel wrote,
// never more than the room. The room is zeroed first, for two reasons: some options take input from
// it (TCP_AO_INFO), and an int is a whole one where the kernel writes a single byte (Windows does
// for booleans).
int GetOption(Socket socket, int level, int option, void* value, int* length);

// A new TCP socket to ask about an option of `level`: of IPv6 for IPPROTO_IPV6, of IPv4 for all
// others. Never bound nor connected: what it says of an option is what the system gives to
// everyone.
Socket OpenSocket(int level);
void CloseSocket(Socket socket);

// getsockname(2), or getpeername(2) of the `peer`. `length` comes in as the room at `address` and
// goes out as what was written, never more than the room.
int GetName(Socket socket, bool peer, void* address, int* length);

// A function that the running program exports, or null: libuv's of Node.
using HostFunction = void (*)();
HostFunction FindHostFunction(const char* name);

// The three keepalive values in one request, in milliseconds: SIO_KEEPALIVE_VALS, the only way on
// Windows before 10.1709. Elsewhere UV_ENOTSUP.
int SetKeepAliveValues(Socket socket, bool enable, std::uint32_t initial_delay,
                       std::uint32_t interval);

// What the kernel knows of a TCP connection, as the system itself lays it out: TCP_INFO on Linux,
// TCP_CONNECTION_INFO on macOS, the newest TCP_INFO_v<n> that SIO_TCP_INFO gives on Windows.
// Answers with the bytes written, at most `room`, by which lib/tcp-info/<system>.ts knows what is
// there.
int GetTcpInfo(Socket socket, void* info, std::size_t room);

// Leaves in `*identity` the number that the system gives to this socket and to no other one, as
// long as it runs. Zero, or a code: kClosed for what is not a socket, UV_ENOTSUP on a system
// without such numbers; nothing is left then.
int Identify(Socket socket, std::uint64_t* identity);

// The code of a descriptor that is closed: UV_EBADF.
extern const int kClosed;

// How many bytes wait: received and unread (SIOCINQ), sent and unacknowledged or unsent (SIOCOUTQ),
// of these the unsent ones (SIOCOUTQNSD); -1 for each that the system does not tell.
int GetQueues(Socket socket, std::int32_t queues[3]);

// A query to the system about its TCP connections, and what it answers, both in the system's own
// layout: messages of sock_diag on Linux, the records of net.inet.tcp.pcblist_n on macOS, the rows
// of GetExtendedTcpTable on Windows. lib/connections/<system>.ts writes the one and reads the
// other.
class ConnectionTable;

// Of this function and of those below that take a `call`: where a system call of its own fails,
// and not the query, it leaves the name of that call in `*call`.
//
// Asks. Leaves a table in `*table` that has to be closed, or answers with a code.
int OpenConnectionTable(const void* query, std::size_t length, ConnectionTable** table,
                        const char** call);

// The next bytes of the answer, whole records of it on Linux; 0 after the last. Never waits for
// anything but the kernel itself.
int ReadConnectionTable(ConnectionTable* table, void* bytes, std::size_t room, const char** call);

void CloseConnectionTable(ConnectionTable* table);

// Ends a connection of this or of another process; the query again in the system's own layout.
int DestroyConnection(const void* query, std::size_t length, const char** call);

// A table that grows: from now on every TCP socket of the network namespace that ends is told in
// it, collected by a thread of its own. It keeps `limit` of them that were not read, and counts
// what it has to drop. `wake` is called in that thread when there is something to read, and again
// only after a read has found nothing; never after the table is closed. UV_ENOTSUP elsewhere than
// on Linux.
int WatchClosedConnections(std::size_t limit, void (*wake)(void* context), void* context,
                           ConnectionTable** table, const char** call);

// The text of a kernel-wide setting, by the system's own name for it: a sysctl, or a value of the
// TCP/IP parameters in the Windows registry. Answers with the length of the text.
int ReadSetting(const char* name, char* text, std::size_t room);

}  // namespace platform

#endif  // SOCKET_OPTIONS_PLATFORM_H_
