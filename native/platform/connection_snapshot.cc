#include "connection_snapshot.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace platform {

ConnectionTable::~ConnectionTable() {
  std::free(bytes_);
}

void* ConnectionTable::Reserve(std::size_t size) {
  std::free(bytes_);
  // A size of 0 must not look like a lack of memory.
  bytes_ = static_cast<char*>(std::calloc(size + 1, 1));
  return bytes_;
}

void ConnectionTable::SetSize(std::size_t size) {
  size_ = size;
}

int ConnectionTable::Read(void* bytes, std::size_t room) {
  const std::size_t length = std::min(size_ - position_, room);
  std::memcpy(bytes, bytes_ + position_, length);
  position_ += length;
  return static_cast<int>(length);
}

int ReadConnectionTable(ConnectionTable* table, void* bytes, std::size_t room, const char**) {
  return table->Read(bytes, room);
}

void CloseConnectionTable(ConnectionTable* table) {
  delete table;
}

}  // namespace platform
