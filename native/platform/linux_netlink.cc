#include "linux_netlink.h"

#include <cerrno>

#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform.h"

namespace platform {

namespace {

int ReadCookie(int descriptor, std::uint64_t* cookie, const char** call) {
  *call = "getsockopt";
  int length = sizeof(*cookie);
  return GetOption(descriptor, SOL_SOCKET, SO_COOKIE, cookie, &length);
}

}  // namespace

int Failed(const char* name, const char** call) {
  *call = name;
  return -errno;
}

int OwnedSocket::Adopt(int descriptor, const char** call) {
  const int status = ReadCookie(descriptor, &cookie_, call);
  if (status < 0) {
    close(descriptor);
    return status;
  }
  descriptor_ = descriptor;
  return 0;
}

int OwnedSocket::Check(const char** call) const {
  std::uint64_t cookie = 0;
  const int status = ReadCookie(descriptor_, &cookie, call);
  if (status == -ENOTSOCK) return -EBADF;
  if (status < 0) return status;
  return cookie == cookie_ ? 0 : -EBADF;
}

bool OwnedSocket::IsOwned() const {
  const char* call = nullptr;
  return descriptor_ >= 0 && Check(&call) == 0;
}

void OwnedSocket::Close() {
  if (IsOwned()) close(descriptor_);
  descriptor_ = -1;
}

int OpenNetlink(std::uint32_t groups, OwnedSocket* socket, const char** call) {
  const int descriptor =
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
  if (descriptor < 0) return Failed("socket", call);
  const int status = socket->Adopt(descriptor, call);
  if (status < 0) return status;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  const int bound = bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  return bound == 0 ? 0 : Failed("bind", call);
}

int SendQuery(const void* query, std::size_t length, OwnedSocket* socket, const char** call) {
  const int status = OpenNetlink(0, socket, call);
  if (status < 0) return status;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const ssize_t sent = sendto(socket->descriptor(), query, length, 0,
                              reinterpret_cast<sockaddr*>(&kernel), sizeof(kernel));
  return sent >= 0 ? 0 : Failed("sendto", call);
}

// Peeks at the message, then removes it by reading 0 bytes. Another thread may close the descriptor
// and open a connection with its number between the check and the read. Then no byte of that
// connection is lost: reading 0 bytes removes a datagram, but nothing from a stream.
int Receive(const OwnedSocket& socket, void* bytes, std::size_t room, const char** call) {
  const int status = socket.Check(call);
  if (status < 0) return status;
  *call = "recvfrom";
  sockaddr_nl sender{};
  socklen_t size = sizeof(sender);
  // With MSG_TRUNC it returns the length of the message, also if the room was too short.
  const ssize_t length =
      recvfrom(socket.descriptor(), bytes, room, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC,
               reinterpret_cast<sockaddr*>(&sender), &size);
  if (length < 0) return -errno;
  if (size != sizeof(sender) || sender.nl_family != AF_NETLINK) return -EBADF;
  if (recv(socket.descriptor(), bytes, 0, MSG_DONTWAIT) < 0) return Failed("recv", call);
  if (sender.nl_pid != 0) return 0;
  return static_cast<std::size_t>(length) <= room ? static_cast<int>(length) : -EMSGSIZE;
}

int ReceiveFromKernel(const OwnedSocket& socket, void* bytes, std::size_t room, const char** call) {
  int length = 0;
  for (int i = 0; i < kMaxTransientFailures && (length == 0 || length == -EINTR); i++) {
    length = Receive(socket, bytes, room, call);
  }
  return length;
}

}  // namespace platform
