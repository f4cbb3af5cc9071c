// What macOS and FreeBSD share beyond posix.cc: sysctls, and what neither system has.

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <sys/types.h>

#include <sys/sysctl.h>

#include "platform.h"

namespace platform {

namespace {

// Replaces the bytes of a number with its digits; returns how many there are.
template <typename Signed, typename Unsigned>
int WriteDigits(char* text, std::size_t room, bool is_unsigned) {
  Unsigned number;
  std::memcpy(&number, text, sizeof(number));
  return is_unsigned ? std::snprintf(text, room, "%llu", static_cast<unsigned long long>(number))
                     : std::snprintf(text, room, "%lld",
                                     static_cast<long long>(static_cast<Signed>(number)));
}

}  // namespace

// The bytes alone do not show whether they are a number or a text ("Mac14,7" and its NUL are
// eight). So the kernel is asked for the type first, as sysctl(8) does: {0, 4} and the numbers of a
// setting return its type and format. The format "IU" is an unsigned int.
int ReadSetting(const char* name, char* text, std::size_t room) {
  int query[2 + CTL_MAXNAME] = {0, 4};
  int* const setting = query + 2;
  std::size_t depth = CTL_MAXNAME;
  if (sysctlnametomib(name, setting, &depth) != 0) return -errno;

  struct {
    std::uint32_t type;
    char format[60];
  } kind = {};
  std::size_t size = sizeof(kind) - 1;
  if (sysctl(query, static_cast<u_int>(depth + 2), &kind, &size, nullptr, 0) != 0) return -errno;

  size = room;
  if (sysctl(setting, static_cast<u_int>(depth), text, &size, nullptr, 0) != 0) return -errno;
  kind.type &= CTLTYPE;
  if (kind.type == CTLTYPE_STRING) return static_cast<int>(strnlen(text, size));
  if (kind.type == CTLTYPE_NODE || kind.type == CTLTYPE_STRUCT) return -ENOTSUP;

  // By size: the type of a C long may be reported as int.
  const bool is_unsigned = kind.format[1] == 'U';
  switch (size) {
    case 1:
      return WriteDigits<std::int8_t, std::uint8_t>(text, room, is_unsigned);
    case 2:
      return WriteDigits<std::int16_t, std::uint16_t>(text, room, is_unsigned);
    case 4:
      return WriteDigits<std::int32_t, std::uint32_t>(text, room, is_unsigned);
    case 8:
      return WriteDigits<std::int64_t, std::uint64_t>(text, room, is_unsigned);
    default:
      return -ENOTSUP;
  }
}

int GetIdentity(Socket, std::uint64_t*) {
  return -ENOTSUP;
}

int DestroyConnection(const void*, std::size_t, const char**) {
  return -ENOTSUP;
}

int WatchClosedConnections(std::size_t, void (*)(void*), void*, ConnectionTable**, const char**) {
  return -ENOTSUP;
}

}  // namespace platform
