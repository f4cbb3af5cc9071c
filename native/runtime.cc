// What the addon needs of a C++ library, so that prebuilds need none. Systems have different ones,
// and those with musl may have none; to link one in would make the addon several times larger. If
// the addon needs more of it one day, scripts/prebuilds/check.mjs fails.

#include <cstddef>
#include <cstdlib>
#include <new>

void* operator new(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  // Without exceptions there is no other way to report it.
  if (memory == nullptr) std::abort();
  return memory;
}

void* operator new[](std::size_t size) {
  return operator new(size);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete[](void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

#ifdef __APPLE__
// Zig would link its own instead of the system's, and with them its whole runtime: 150 kB.
extern "C" __attribute__((no_builtin("memcpy"), visibility("hidden"))) void* memcpy(
    void* to, const void* from, std::size_t size) {
  char* target = static_cast<char*>(to);
  const char* source = static_cast<const char*>(from);
  for (std::size_t i = 0; i < size; i++) target[i] = source[i];
  return to;
}

extern "C" __attribute__((no_builtin("memcmp", "bcmp"), visibility("hidden"))) int memcmp(
    const void* left, const void* right, std::size_t size) {
  const unsigned char* a = static_cast<const unsigned char*>(left);
  const unsigned char* b = static_cast<const unsigned char*>(right);
  for (std::size_t i = 0; i < size; i++) {
    if (a[i] != b[i]) return a[i] - b[i];
  }
  return 0;
}
#endif
