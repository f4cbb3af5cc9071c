// What the files of the addon share: the memory that an environment has in common with JS.

#ifndef SOCKET_OPTIONS_ADDON_H_
#define SOCKET_OPTIONS_ADDON_H_

#include <napi.h>

#include <cstdint>

namespace addon {

// Room for the largest option values that kernels keep, and for every option of the catalogue at
// once. The buffer belongs to one environment (worker threads have their own) and never leaves
// lib/binding.ts: after a transfer to somebody else this memory would not be ours to write.
constexpr std::size_t kScratchBytes = 16 * 1024;

struct Scratch {
  double socket;
  std::int32_t count;
  std::int32_t answer;  // of getDefault, which must not disturb records that are being laid down
  std::int32_t words[1];
};
constexpr std::size_t kRoom = (kScratchBytes - offsetof(Scratch, words)) / sizeof(std::int32_t);

struct Environment {
  Napi::Reference<Napi::ArrayBuffer> buffer;
  Scratch* scratch;
};

// Each file adds its functions to the exports.
void AddTcpInfo(Napi::Env env, Napi::Object exports, Environment* environment);
void AddConnections(Napi::Env env, Napi::Object exports, Environment* environment);

}  // namespace addon

#endif  // SOCKET_OPTIONS_ADDON_H_
