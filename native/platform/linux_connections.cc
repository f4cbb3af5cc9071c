// Lists and ends the connections of the network namespace, through sock_diag(7).

#include "linux_connections.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <linux/netlink.h>

namespace platform {

namespace {

// The kernel's answer to a request that does not return sockets.
struct Acknowledgement {
  nlmsghdr header;
  std::int32_t error;
};

}  // namespace

int ConnectionTable::Query(const void* query, std::size_t length, const char** call) {
  return SendQuery(query, length, &socket_, call);
}

int ConnectionTable::Read(void* bytes, std::size_t room, const char** call) {
  const int length = ReceiveFromKernel(socket_, bytes, room, call);
  return length == -EAGAIN ? 0 : length;
}

int OpenConnectionTable(const void* query, std::size_t length, ConnectionTable** table,
                        const char** call) {
  auto opened = std::make_unique<ConnectionTable>();
  const int status = opened->Query(query, length, call);
  if (status == 0) *table = opened.release();
  return status;
}

int ReadConnectionTable(ConnectionTable* table, void* bytes, std::size_t room, const char** call) {
  return table->Read(bytes, room, call);
}

void CloseConnectionTable(ConnectionTable* table) {
  delete table;
}

int DestroyConnection(const void* query, std::size_t length, const char** call) {
  OwnedSocket socket;
  const int status = SendQuery(query, length, &socket, call);
  if (status < 0) return status;
  char bytes[1024];
  const int size = ReceiveFromKernel(socket, bytes, sizeof(bytes), call);
  if (size < 0) return size;
  // No system call has failed: an error below is the kernel's answer to the query.
  *call = nullptr;
  Acknowledgement answer{};
  if (static_cast<std::size_t>(size) < sizeof(answer)) return -EPROTO;
  std::memcpy(&answer, bytes, sizeof(answer));
  // Netlink reports success as an error of 0.
  return answer.header.nlmsg_type == NLMSG_ERROR && answer.error <= 0 ? answer.error : -EPROTO;
}

}  // namespace platform
