// Lists and ends the TCP connections of Windows, through the IP Helper API.

#include "win32_sdk.h"

#include <cstring>
#include <memory>

#include "connection_snapshot.h"
#include "win32_errors.h"

namespace platform {

namespace {

// The library is loaded by the first call and not linked: most programs list no connections.
void* HelperFunction(const char* name) {
  const HMODULE library = LoadLibraryExW(L"iphlpapi.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
  if (library == nullptr) return nullptr;
  return reinterpret_cast<void*>(GetProcAddress(library, name));
}

}  // namespace

// The query is one byte: the address family. The answer is a MIB_TCPTABLE_OWNER_PID or a
// MIB_TCP6TABLE_OWNER_PID.
int OpenConnectionTable(const void* query, std::size_t length, ConnectionTable** table,
                        const char**) {
  using GetTable = DWORD(WINAPI*)(void*, DWORD*, BOOL, ULONG, int, ULONG);
  static constexpr int kOwnerPidAll = 5;  // TCP_TABLE_OWNER_PID_ALL
  if (length != 1) return UV_EINVAL;
  const auto get_table = reinterpret_cast<GetTable>(HelperFunction("GetExtendedTcpTable"));
  if (get_table == nullptr) return UV_ENOTSUP;
  auto snapshot = std::make_unique<ConnectionTable>();
  const ULONG family = *static_cast<const unsigned char*>(query);
  DWORD size = 64 * 1024;
  // The table may grow between two attempts.
  for (int attempt = 0; attempt < 5; attempt++) {
    void* bytes = snapshot->Reserve(size);
    if (bytes == nullptr) return UV_ENOMEM;
    DWORD filled = size;
    const DWORD status = get_table(bytes, &filled, FALSE, family, kOwnerPidAll, 0);
    if (status == NO_ERROR) {
      snapshot->SetSize(filled);
      *table = snapshot.release();
      return 0;
    }
    if (status != ERROR_INSUFFICIENT_BUFFER) return ToUvError(status);
    size = filled + filled / 4;
  }
  return UV_EAGAIN;
}

// The query is a MIB_TCPROW whose state is MIB_TCP_STATE_DELETE_TCB.
int DestroyConnection(const void* query, std::size_t length, const char**) {
  using SetEntry = DWORD(WINAPI*)(void*);
  std::uint32_t row[5];
  if (length != sizeof(row)) return UV_EINVAL;
  const auto set_entry = reinterpret_cast<SetEntry>(HelperFunction("SetTcpEntry"));
  if (set_entry == nullptr) return UV_ENOTSUP;
  std::memcpy(row, query, sizeof(row));
  const DWORD status = set_entry(row);
  // Windows versions report different errors to a process that is not elevated.
  if (status == ERROR_ACCESS_DENIED || status == ERROR_MR_MID_NOT_FOUND) return UV_EPERM;
  return status == NO_ERROR ? 0 : ToUvError(status);
}

int WatchClosedConnections(std::size_t, void (*)(void*), void*, ConnectionTable**, const char**) {
  return UV_ENOTSUP;
}

}  // namespace platform
