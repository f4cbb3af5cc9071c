// What the files of the addon share: the memory that an environment has in common with JS.

#ifndef SOCKET_OPTIONS_ADDON_H_
#define SOCKET_OPTIONS_ADDON_H_

#include <napi.h>

#include <cstdint>
#include <initializer_list>

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
// Of handles.cc: how the sockets behind objects of Node are found.
class HandleSearch;

struct Environment {
  napi_ref buffer = nullptr;  // holds the scratch memory, whatever JS does with it
  Scratch* scratch = nullptr;
  OpenTable* tables = nullptr;
  const char* failed_call = nullptr;  // of connections.cc
  HandleSearch* search = nullptr;
};

// The callbacks are Node-API's own and not node-addon-api's: its errors, of which lib/ can meet
// none, would cost a tenth of the addon (on macOS one page of 16 kB too many), and after a system
// call each further call out of here costs more than it seems to.

// For functions that take and give nothing.
inline Scratch* ScratchOf(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  return static_cast<Environment*>(data)->scratch;
}

// The answer to an argument that lib/ never passes: defence in depth. No system has an error of
// this number, so that nobody takes it for a refusal.
constexpr int kBadArgument = -65536;

constexpr std::size_t kArguments = 4;

// The arguments of a call. One that is not there, or not of its type, is 0 or false.
struct Call {
  napi_env env;
  napi_value arguments[kArguments] = {};
  Environment* environment;

  Call(napi_env env, napi_callback_info info) : env(env) {
    std::size_t given = kArguments;
    void* data = nullptr;
    napi_get_cb_info(env, info, &given, arguments, nullptr, &data);
    environment = static_cast<Environment*>(data);
  }

  std::int32_t Int32(std::size_t index) const {
    std::int32_t value = 0;
    napi_get_value_int32(env, arguments[index], &value);
    return value;
  }
  std::uint32_t Uint32(std::size_t index) const {
    std::uint32_t value = 0;
    napi_get_value_uint32(env, arguments[index], &value);
    return value;
  }
  bool Boolean(std::size_t index) const {
    bool value = false;
    napi_get_value_bool(env, arguments[index], &value);
    return value;
  }

  napi_value Answer(int status) const {
    napi_value answer = nullptr;
    napi_create_int32(env, status, &answer);
    return answer;
  }
};

// A function of the addon, and its name in JS.
struct Function {
  const char* name;
  napi_callback callback;
};

void Define(Napi::Object exports, Environment* environment,
            std::initializer_list<Function> functions);

// Each file adds its functions to the exports.
void AddTcpInfo(Napi::Object exports, Environment* environment);
void AddConnections(Napi::Object exports, Environment* environment);
void AddHandles(Napi::Object exports, Environment* environment);

// What an environment leaves behind when it ends.
void EndOfSearches(Environment* environment);

}  // namespace addon

#endif  // SOCKET_OPTIONS_ADDON_H_
