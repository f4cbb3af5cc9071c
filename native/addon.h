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
// Behind them, TCP_INFO has a place of its own: TcpInfoReader leaves it there, while other calls go
// on.
constexpr std::size_t kTcpInfoRoom = 512;

struct Scratch {
  double socket;
  std::int32_t count;
  std::int32_t answer;  // of getDefault, which must not disturb records that are being laid down
  std::int32_t words[1];
};
constexpr std::size_t kRoom = (kScratchBytes - offsetof(Scratch, words)) / sizeof(std::int32_t);

// Of connections.cc: a table of connections that JS has open.
struct OpenTable;

struct Environment {
  Napi::Reference<Napi::ArrayBuffer> buffer;
  Scratch* scratch = nullptr;
  OpenTable* tables = nullptr;
};

inline Environment* EnvironmentOf(const Napi::CallbackInfo& info) {
  return static_cast<Environment*>(info.Data());
}

// For functions that are Node-API's own callbacks and not the wrapper's, and take and give nothing:
// after a system call, each further call out of here costs more than it seems to.
inline Scratch* ScratchOf(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  return static_cast<Environment*>(data)->scratch;
}

inline void Define(napi_env env, napi_value exports, const char* name, napi_callback callback,
                   Environment* environment) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, environment, &function);
  napi_set_named_property(env, exports, name, function);
}

// Each file adds its functions to the exports.
void AddTcpInfo(napi_env env, napi_value exports, Environment* environment);
void AddConnections(napi_env env, napi_value exports, Environment* environment);

}  // namespace addon

#endif  // SOCKET_OPTIONS_ADDON_H_
