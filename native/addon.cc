// JS values in, calls of platform.h, a number out. Knows no option and no system.
//
// Options cross in a scratch buffer that JS and C++ share, one after the other as records of 32-bit
// words:
//
//   level, option, length in bytes, the value padded to whole words
//
// so that any number of options of any size is one call without a JS object made or read here.
// What went wrong with a record is written where its length was, as a negative code.

#include <napi.h>

#include "platform.h"

namespace {

// Room for the largest option values that kernels keep, and for every option of the catalogue at
// once. The buffer belongs to one environment (worker threads have their own) and never leaves
// lib/binding.ts: after a transfer to somebody else this memory would not be ours to write.
constexpr std::size_t kScratchBytes = 16 * 1024;
constexpr std::size_t kScratchWords = kScratchBytes / sizeof(std::int32_t);

struct Environment {
  Napi::Reference<Napi::ArrayBuffer> scratch;
  std::int32_t* words;
};

struct Record {
  std::int32_t level;
  std::int32_t option;
  std::int32_t length;
  std::int32_t value[1];
};
constexpr std::size_t kHeadWords = 3;

// Calls `handle(record)` for the first `count` records, as long as it answers true; returns how
// many it did. A record that would reach beyond the buffer ends the walk: lib/ never writes one,
// and memory is not to depend on that.
template <typename Handle>
std::int32_t ForEachRecord(std::int32_t* words, std::int32_t count, Handle handle) {
  std::size_t at = 0;
  for (std::int32_t i = 0; i < count; i++) {
    if (at + kHeadWords > kScratchWords) return i;
    Record* record = reinterpret_cast<Record*>(words + at);
    const std::size_t room = (kScratchWords - at - kHeadWords) * sizeof(std::int32_t);
    if (record->length < 0 || static_cast<std::size_t>(record->length) > room) return i;
    at += kHeadWords + (static_cast<std::size_t>(record->length) + 3) / 4;
    if (!handle(record)) return i;
  }
  return count;
}

Environment* EnvironmentOf(const Napi::CallbackInfo& info) {
  return static_cast<Environment*>(info.Data());
}

platform::Socket SocketOf(const Napi::CallbackInfo& info) {
  return static_cast<platform::Socket>(info[0].As<Napi::Number>().Int64Value());
}

// setOptions(socket, count): how many records were written. Stops at the first that is refused.
Napi::Value SetOptions(const Napi::CallbackInfo& info) {
  const platform::Socket socket = SocketOf(info);
  const std::int32_t count = info[1].As<Napi::Number>().Int32Value();
  const std::int32_t done =
      ForEachRecord(EnvironmentOf(info)->words, count, [socket](Record* record) {
        const int status = platform::SetOption(socket, record->level, record->option, record->value,
                                               record->length);
        if (status < 0) record->length = status;
        return status >= 0;
      });
  return Napi::Number::New(info.Env(), done);
}

// getOptions(socket, count): how many records were read. Goes on after one that is refused.
Napi::Value GetOptions(const Napi::CallbackInfo& info) {
  const platform::Socket socket = SocketOf(info);
  const std::int32_t count = info[1].As<Napi::Number>().Int32Value();
  std::int32_t done = 0;
  ForEachRecord(EnvironmentOf(info)->words, count, [socket, &done](Record* record) {
    int length = record->length;
    const int status =
        platform::GetOption(socket, record->level, record->option, record->value, &length);
    record->length = status < 0 ? status : length;
    if (status >= 0) done++;
    return true;
  });
  return Napi::Number::New(info.Env(), done);
}

// getDefault(level, option): 0 with a 32-bit value in the first word of the scratch buffer, as a
// new socket has it.
Napi::Value GetDefault(const Napi::CallbackInfo& info) {
  const int level = info[0].As<Napi::Number>().Int32Value();
  const int option = info[1].As<Napi::Number>().Int32Value();
  const platform::Socket socket = platform::OpenSocket(level);
  if (socket < 0) return Napi::Number::New(info.Env(), static_cast<double>(socket));
  int length = sizeof(std::int32_t);
  const int status =
      platform::GetOption(socket, level, option, EnvironmentOf(info)->words, &length);
  platform::CloseSocket(socket);
  return Napi::Number::New(info.Env(), status);
}

// setKeepAliveValues(socket, enable, initialDelay, interval): 0 or a negative code.
Napi::Value SetKeepAliveValues(const Napi::CallbackInfo& info) {
  return Napi::Number::New(
      info.Env(), platform::SetKeepAliveValues(SocketOf(info), info[1].As<Napi::Boolean>().Value(),
                                               info[2].As<Napi::Number>().Uint32Value(),
                                               info[3].As<Napi::Number>().Uint32Value()));
}

// readSetting(length): the name is in the scratch buffer, its text replaces it there.
Napi::Value ReadSetting(const Napi::CallbackInfo& info) {
  char* text = reinterpret_cast<char*>(EnvironmentOf(info)->words);
  char name[256];
  const std::uint32_t length = info[0].As<Napi::Number>().Uint32Value();
  if (length >= sizeof(name)) return Napi::Number::New(info.Env(), -1);
  for (std::uint32_t i = 0; i < length; i++) name[i] = text[i];
  name[length] = '\0';
  return Napi::Number::New(info.Env(), platform::ReadSetting(name, text, kScratchBytes));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Environment* environment = new Environment();
  env.SetInstanceData(environment);
  Napi::ArrayBuffer scratch = Napi::ArrayBuffer::New(env, kScratchBytes);
  environment->words = static_cast<std::int32_t*>(scratch.Data());
  environment->scratch = Napi::Persistent(scratch);

  Napi::Object constants = Napi::Object::New(env);
  Napi::Object levels = Napi::Object::New(env);
  for (std::size_t i = 0; i < platform::kConstantCount; i++) {
    const platform::Constant& constant = platform::kConstants[i];
    constants.Set(constant.name, constant.value);
    if (constant.level != platform::kNoLevel) levels.Set(constant.name, constant.level);
  }
  exports.Set("constants", constants);
  exports.Set("levels", levels);
  exports.Set("scratch", scratch);

  const auto define = [&](const char* name, Napi::Value (*callback)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, callback, name, environment));
  };
  define("setOptions", SetOptions);
  define("getOptions", GetOptions);
  define("getDefault", GetDefault);
  define("setKeepAliveValues", SetKeepAliveValues);
  define("readSetting", ReadSetting);
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
