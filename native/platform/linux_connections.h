// The connection table of Linux: the answer to a query of sock_diag(7). linux_watch.cc derives from
// it a table that grows.

#ifndef SOCKET_OPTIONS_LINUX_CONNECTIONS_H_
#define SOCKET_OPTIONS_LINUX_CONNECTIONS_H_

#include "linux_netlink.h"
#include "platform.h"

namespace platform {

class ConnectionTable {
 public:
  ConnectionTable() = default;
  virtual ~ConnectionTable() = default;
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  int Query(const void* query, std::size_t length, const char** call);

  // The kernel writes the next part of its answer during each call. When nothing is there, the
  // answer has ended.
  virtual int Read(void* bytes, std::size_t room, const char** call);

 protected:
  OwnedSocket socket_;
};

}  // namespace platform

#endif  // SOCKET_OPTIONS_LINUX_CONNECTIONS_H_
