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
