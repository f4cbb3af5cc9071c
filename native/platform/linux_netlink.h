// Netlink sockets of sock_diag(7): open, send, receive. linux_connections.cc and linux_watch.cc use
// them. The messages are bytes here: lib/connections/ writes and decodes them.

#ifndef SOCKET_OPTIONS_LINUX_NETLINK_H_
#define SOCKET_OPTIONS_LINUX_NETLINK_H_

#include <cstddef>
#include <cstdint>

namespace platform {

// How many failures in a row that pass by themselves are too many. Each takes a few microseconds,
// so a failure that lasts (from seccomp, say) is reported after some milliseconds.
constexpr int kMaxTransientFailures = 1000;

// Stores the name of the system call that failed, and returns minus errno.
int Failed(const char* name, const char** call);

// A descriptor that another part of the program may close. A program that closes every descriptor
// above 2 closes ours too, and gives their numbers to its own sockets. So each use first checks
// that the number still belongs to the same socket, by its cookie: the kernel never reuses one.
class OwnedSocket {
 public:
  OwnedSocket() = default;
  ~OwnedSocket() {
    Close();
  }
  OwnedSocket(const OwnedSocket&) = delete;
  OwnedSocket& operator=(const OwnedSocket&) = delete;

  // Takes the result of socket(2) or socketpair(2). Returns zero, or the error of reading the
  // cookie; then the descriptor is closed.
  int Adopt(int descriptor, const char** call);

  int descriptor() const {
    return descriptor_;
  }

  // Returns zero, or UV_EBADF if the descriptor is closed or belongs to another socket.
  int Check(const char** call) const;
  bool IsOwned() const;

 private:
  void Close();

  int descriptor_ = -1;
  std::uint64_t cookie_ = 0;
};

// Opens a netlink socket that receives the messages of `groups`, a bit for each group.
int OpenNetlink(std::uint32_t groups, OwnedSocket* socket, const char** call);

// Opens a netlink socket and sends `query` to the kernel. When this returns, the kernel has begun
// to answer, or has refused.
int SendQuery(const void* query, std::size_t length, OwnedSocket* socket, const char** call);

// Receives what the kernel sent next: one message or several. Returns the length; 0 after a message
// from another process, which is dropped; -EAGAIN if nothing is there.
int Receive(const OwnedSocket& socket, void* bytes, std::size_t room, const char** call);

// The same, but passes over messages from other processes and over interruptions.
int ReceiveFromKernel(const OwnedSocket& socket, void* bytes, std::size_t room, const char** call);

}  // namespace platform

#endif  // SOCKET_OPTIONS_LINUX_NETLINK_H_
