// The subflows of Multipath TCP: options of SOL_MPTCP that read input from the value, so that
// GetOption(), which zeroes it, cannot read them. Layouts: include/uapi/linux/mptcp.h.

#include <cerrno>
#include <cstring>

#include <sys/socket.h>

#include "linux_names.h"
#include "platform.h"

namespace platform {

namespace {

// Room in bytes. lib/mptcp/subflows.ts has the same numbers. The kernel writes at most what it
// knows, and reports how much that is.
constexpr std::size_t kHead = 256;
constexpr std::uint32_t kSubflow = 264;  // struct mptcp_subflow_info
constexpr std::uint32_t kTcpInfo = 512;
constexpr std::uint32_t kAddresses = 256;  // struct mptcp_subflow_addrs

// struct mptcp_full_info, up to its struct mptcp_info.
struct FullInfo {
  std::uint32_t tcp_info_kernel;
  std::uint32_t tcp_info_user;
  std::uint32_t subflow_kernel;
  std::uint32_t subflow_user;
  std::uint32_t count;
  std::uint32_t room;
  std::uint64_t subflows;
  std::uint64_t tcp_infos;
};
static_assert(sizeof(FullInfo) == 40, "the kernel has the same layout on every processor");

// struct mptcp_subflow_data. The array follows it.
struct SubflowData {
  std::uint32_t size;
  std::uint32_t count;
  std::uint32_t element_kernel;
  std::uint32_t element_user;
};
static_assert(sizeof(SubflowData) == 16, "the kernel has the same layout on every processor");

std::uint64_t AddressOf(const void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory);
}

}  // namespace

int GetSubflows(Socket socket, int option, void* bytes, std::size_t length) {
  const bool is_full = option == MPTCP_FULL_INFO;
  if (!is_full && option != MPTCP_TCPINFO && option != MPTCP_SUBFLOW_ADDRS) return -EINVAL;
  if (bytes == nullptr || length < kHead || length > INT32_MAX) return -EINVAL;
  std::memset(bytes, 0, length);
  socklen_t size = static_cast<socklen_t>(length);
  if (is_full) {
    // The two arrays follow the head. The kernel writes at most `room` elements of the sizes here.
    FullInfo info = {};
    info.tcp_info_user = kTcpInfo;
    info.subflow_user = kSubflow;
    info.room = static_cast<std::uint32_t>((length - kHead) / (kSubflow + kTcpInfo));
    unsigned char* const subflows = static_cast<unsigned char*>(bytes) + kHead;
    info.subflows = AddressOf(subflows);
    info.tcp_infos = AddressOf(subflows + static_cast<std::size_t>(info.room) * kSubflow);
    std::memcpy(bytes, &info, sizeof(info));
    size = kHead;
  } else {
    SubflowData data = {};
    data.size = sizeof(data);
    data.element_user = option == MPTCP_TCPINFO ? kTcpInfo : kAddresses;
    std::memcpy(bytes, &data, sizeof(data));
  }
  const int status = getsockopt(static_cast<int>(socket), SOL_MPTCP, option, bytes, &size);
  return status == 0 ? static_cast<int>(size) : -errno;
}

}  // namespace platform
