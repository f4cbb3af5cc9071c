// What the files of the addon share: the memory that C++ and JS have in common, and how a function
// of the addon reads its arguments and returns a number.
//
// The functions use Node-API itself, and node-addon-api only for the module and its instance data.
// Each wrapper of node-addon-api that can fail also makes JS errors, which lib/ can never meet.
// Measured with constants() alone (npm run prebuilds): 3.5 kB more code on macOS arm64, a third of
// the addon. That is one page of 16 kB more, and the prebuild has 80 kB instead of 63 kB (budget:
// 64 kB). Time is no reason: setOptions takes 1 % more.

#ifndef SOCKET_OPTIONS_ADDON_H_
#define SOCKET_OPTIONS_ADDON_H_

#include <napi.h>

#include <cstdint>
#include <initializer_list>

namespace addon {

// Room for the largest option values of any kernel, and for all options of the catalogue at once.
// Each environment has its own buffer (worker threads are environments). It never leaves lib/: if
// it were transferred to a worker, this memory would not be ours to write.
constexpr std::size_t kScratchBytes = 16384;
// TCP_INFO has its own place behind the records: TcpInfoReader leaves it there during other calls.
constexpr std::size_t kTcpInfoRoom = 512;

struct Scratch {
  double socket;
  std::int32_t count;
  std::int32_t answer;  // of getDefault, which must not overwrite records that JS is writing
  std::int32_t words[1];
};
constexpr std::size_t kWords = (kScratchBytes - offsetof(Scratch, words)) / sizeof(std::int32_t);

// A table of connections that JS has open: connections.cc.
struct OpenTable;
// A search for the sockets behind objects: handles.cc.
class HandleSearch;

// What belongs to one environment.
struct Environment {
  napi_ref buffer = nullptr;  // keeps the scratch memory, whatever JS does with it
  Scratch* scratch = nullptr;
  OpenTable* tables = nullptr;
  const char* failed_call = nullptr;  // connections.cc
  HandleSearch* search = nullptr;
};

// For functions without arguments and result, which are called most often.
inline Scratch* GetScratch(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  return static_cast<Environment*>(data)->scratch;
}

// The code for an argument that lib/ never passes: defence in depth. No system has an error with
// this number.
constexpr int kBadArgument = -65536;

struct Bytes {
  void* data = nullptr;
  std::size_t length = 0;
  bool is_valid = false;
};

// The arguments of a call, and its results. An argument that is missing or has another type reads
// as 0 or false.
class Call {
 public:
  Call(napi_env env, napi_callback_info info);

  Environment* environment() const {
    return environment_;
  }
  napi_value argument(std::size_t index) const {
    return arguments_[index];
  }

  std::int32_t Int32(std::size_t index) const;
  std::uint32_t Uint32(std::size_t index) const;
  std::int64_t Int64(std::size_t index) const;
  bool Boolean(std::size_t index) const;
  // The memory of a typed array; invalid if the argument is not one of this type. The memory of an
  // empty one is null, and valid.
  Bytes TypedArray(std::size_t index, napi_typedarray_type type) const;

  napi_value Return(int number) const;
  napi_value Return(bool boolean) const;

 private:
  static constexpr std::size_t kMaxArguments = 4;

  napi_env env_;
  napi_value arguments_[kMaxArguments] = {};
  Environment* environment_;
};

// A function of the addon, and its name in JS.
struct Function {
  const char* name;
  napi_callback callback;
};

void Define(Napi::Object exports, Environment* environment,
            std::initializer_list<Function> functions);

// Each file adds its functions to the exports.
void AddOptions(Napi::Object exports, Environment* environment);
void AddSockets(Napi::Object exports, Environment* environment);
void AddTcpInfo(Napi::Object exports, Environment* environment);
void AddConnections(Napi::Object exports, Environment* environment);
void AddHandles(Napi::Object exports, Environment* environment);
void AddSubflows(Napi::Object exports, Environment* environment);

// Deletes what handles.cc keeps in an environment that ends.
void DeleteSearch(Environment* environment);

}  // namespace addon

#endif  // SOCKET_OPTIONS_ADDON_H_
