// A table of connections that a system gives as a whole, as macOS and Windows do, handed on in
// pieces.

#ifndef SOCKET_OPTIONS_SNAPSHOT_H_
#define SOCKET_OPTIONS_SNAPSHOT_H_

#include <cstdlib>
#include <cstring>

#include "platform.h"

namespace platform {

class ConnectionTable {
 public:
  ConnectionTable() = default;
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;
  ~ConnectionTable() {
    std::free(bytes_);
  }

  // Room for at least `size` bytes, all zero: a system may fill less of it than it says. Null where
  // there is no memory.
  void* Reserve(std::size_t size) {
    std::free(bytes_);
    bytes_ = static_cast<char*>(std::calloc(size + 1, 1));
    return bytes_;
  }

  void Fill(std::size_t size) {
    size_ = size;
  }

  int Read(void* bytes, std::size_t room) {
    const std::size_t rest = size_ - at_;
    const std::size_t piece = rest < room ? rest : room;
    std::memcpy(bytes, bytes_ + at_, piece);
    at_ += piece;
    return static_cast<int>(piece);
  }

 private:
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t at_ = 0;
};

}  // namespace platform

#endif  // SOCKET_OPTIONS_SNAPSHOT_H_
