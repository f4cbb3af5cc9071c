// What Linux and macOS share: the two system calls, and errno as libuv writes it.

#include <cerrno>

#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform.h"

// macOS has no such flag, and a socket that lives for one system call hardly misses it.
#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 0
#endif

namespace platform {

const int kClosed = -EBADF;

int SetOption(Socket socket, int level, int option, const void* value, int length) {
  const int status =
      setsockopt(static_cast<int>(socket), level, option, value, static_cast<socklen_t>(length));
  return status == 0 ? 0 : -errno;
}

int GetOption(Socket socket, int level, int option, void* value, int* length) {
  socklen_t size = static_cast<socklen_t>(*length);
  if (getsockopt(static_cast<int>(socket), level, option, value, &size) != 0) return -errno;
  *length = static_cast<int>(size);
  return 0;
}

Socket OpenSocket(int level) {
  const int domain = level == IPPROTO_IPV6 ? AF_INET6 : AF_INET;
  const int socket = ::socket(domain, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  return socket < 0 ? -errno : socket;
}

void CloseSocket(Socket socket) {
  close(static_cast<int>(socket));
}

int GetName(Socket socket, bool peer, void* address, int* length) {
  const auto name = peer ? getpeername : getsockname;
  socklen_t size = static_cast<socklen_t>(*length);
  if (name(static_cast<int>(socket), static_cast<sockaddr*>(address), &size) != 0) return -errno;
  *length = static_cast<int>(size);
  return 0;
}

HostFunction FindHostFunction(const char* name) {
  return reinterpret_cast<HostFunction>(dlsym(RTLD_DEFAULT, name));
}

int SetKeepAliveValues(Socket, bool, std::uint32_t, std::uint32_t) {
  return -ENOTSUP;
}

}  // namespace platform
