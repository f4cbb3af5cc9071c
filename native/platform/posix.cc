// What Linux, macOS and FreeBSD share. The code of an error is minus errno, as in libuv.

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform.h"

namespace platform {

const int kClosed = -EBADF;

int SetOption(Socket socket, int level, int option, const void* value, int length) {
  const int status =
      setsockopt(static_cast<int>(socket), level, option, value, static_cast<socklen_t>(length));
  return status == 0 ? 0 : -errno;
}

int GetOption(Socket socket, int level, int option, void* value, int* length) {
  const socklen_t room = static_cast<socklen_t>(*length);
  socklen_t size = room;
  std::memset(value, 0, room);
  if (getsockopt(static_cast<int>(socket), level, option, value, &size) != 0) return -errno;
  // Linux may report more than the room: for NETLINK_LIST_MEMBERSHIPS, for example.
  *length = static_cast<int>(std::min(size, room));
  return 0;
}

Socket OpenSocket(int family, int type, int protocol) {
#ifdef SOCK_CLOEXEC
  const int socket = ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  return socket < 0 ? -errno : socket;
#else
  // macOS has no such flags: a child process that is started just now may inherit the socket.
  const int socket = ::socket(family, type, protocol);
  if (socket < 0) return -errno;
  if (fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 && fcntl(socket, F_SETFL, O_NONBLOCK) == 0) {
    return socket;
  }
  const int error = errno;
  close(socket);
  return -error;
#endif
}

Socket OpenTcpSocket(int level) {
  return OpenSocket(level == IPPROTO_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP);
}

void CloseSocket(Socket socket) {
  close(static_cast<int>(socket));
}

int GetName(Socket socket, bool peer, void* address, int* length) {
  const auto name = peer ? getpeername : getsockname;
  const socklen_t room = static_cast<socklen_t>(*length);
  socklen_t size = room;
  std::memset(address, 0, room);
  if (name(static_cast<int>(socket), static_cast<sockaddr*>(address), &size) != 0) return -errno;
  // The kernel reports the length of the whole address, also if the room was too short.
  *length = static_cast<int>(std::min(size, room));
  return 0;
}

// poll(2), because SO_ERROR and recv(2) would clear a pending error. A FIN is POLLIN or POLLHUP, an
// error POLLERR, a closed descriptor POLLNVAL. POLLOUT is missing while the socket connects or
// listens.
int IsReusable(Socket socket) {
  pollfd state = {static_cast<int>(socket), POLLIN | POLLPRI | POLLOUT, 0};
  // EINTR: a signal arrived, and not even POLLOUT was there.
  if (poll(&state, 1, 0) < 0) return errno == EINTR ? 0 : -errno;
  return state.revents == POLLOUT ? 1 : 0;
}

HostFunction FindHostFunction(const char* name) {
  return reinterpret_cast<HostFunction>(dlsym(RTLD_DEFAULT, name));
}

int SetKeepAliveValues(Socket, bool, std::uint32_t, std::uint32_t) {
  return -ENOTSUP;
}

}  // namespace platform
