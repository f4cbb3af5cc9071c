// The connection table of macOS and Windows, which return it as a whole: kept, and read in parts.

#ifndef SOCKET_OPTIONS_CONNECTION_SNAPSHOT_H_
#define SOCKET_OPTIONS_CONNECTION_SNAPSHOT_H_

#include "platform.h"

namespace platform {

class ConnectionTable {
 public:
  ConnectionTable() = default;
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;
  ~ConnectionTable();

  // Memory for at least `size` bytes, or null. Zeroed: a system may write less than it reports.
  void* Reserve(std::size_t size);

  // How many bytes of it the system has written.
  void SetSize(std::size_t size);

  int Read(void* bytes, std::size_t room);

 private:
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t position_ = 0;
};

}  // namespace platform

#endif  // SOCKET_OPTIONS_CONNECTION_SNAPSHOT_H_
