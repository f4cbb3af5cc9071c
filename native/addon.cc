// JS values in, calls of platform.h, a number out. Knows no option and no system.
//
// Options cross in a scratch buffer that JS and C++ share: a head that says for which socket and
// how many, then one record of 32-bit words after the other:
//
//   level, option, length in bytes, the value padded to whole words
//
// so that any number of options of any size is one call without a JS value made or read here.
// What went wrong with a record is written where its length was, as a negative code.

#include "addon.h"

#include "platform.h"

namespace {

using addon::Environment;
using addon::kRoom;
using addon::Scratch;

struct Record {
  std::int32_t level;
  std::int32_t option;
  std::int32_t length;
  std::int32_t value[1];
};
constexpr std::size_t kHeadWords = 3;

// Calls `handle(record)` for the records that the head counts, as long as it answers true; returns
// how many it did. A record that would reach beyond the buffer ends the walk: lib/ never writes
// one, and memory is not to depend on that.
template <typename Handle>
inline std::int32_t ForEachRecord(Scratch* scratch, Handle handle) {
  std::size_t at = 0;
  for (std::int32_t i = 0; i < scratch->count; i++) {
    if (at + kHeadWords > kRoom) return i;
    Record* record = reinterpret_cast<Record*>(scratch->words + at);
    const std::size_t room = (kRoom - at - kHeadWords) * sizeof(std::int32_t);
    if (record->length < 0 || static_cast<std::size_t>(record->length) > room) return i;
    at += kHeadWords + (static_cast<std::size_t>(record->length) + 3) / 4;
    if (!handle(record)) return i;
  }
  return scratch->count;
}

platform::Socket SocketOf(const Napi::CallbackInfo& info) {
  return static_cast<platform::Socket>(info[0].As<Napi::Number>().Int64Value());
}

// setOptions(): writes the records, and stops at the first that is refused. Leaves in the head how
// many were written.
napi_value SetOptions(napi_env env, napi_callback_info info) {
  Scratch* scratch = addon::ScratchOf(env, info);
  const platform::Socket socket = static_cast<platform::Socket>(scratch->socket);
  scratch->count = ForEachRecord(scratch, [socket](Record* record) {
    const int status =
        platform::SetOption(socket, record->level, record->option, record->value, record->length);
    if (status < 0) record->length = status;
    return status >= 0;
  });
  return nullptr;
}

// getOptions(): reads the records, and goes on after one that is refused. Leaves in the head how
// many could be read.
napi_value GetOptions(napi_env env, napi_callback_info info) {
  Scratch* scratch = addon::ScratchOf(env, info);
  const platform::Socket socket = static_cast<platform::Socket>(scratch->socket);
  std::int32_t done = 0;
  ForEachRecord(scratch, [socket, &done](Record* record) {
    int length = record->length;
    const int status =
        platform::GetOption(socket, record->level, record->option, record->value, &length);
    record->length = status < 0 ? status : length;
    if (status >= 0) done++;
    return true;
  });
  scratch->count = done;
  return nullptr;
}

// getDefault(level, option): 0 with a 32-bit value as `answer`, as a new socket has it.
Napi::Value GetDefault(const Napi::CallbackInfo& info) {
  const int level = info[0].As<Napi::Number>().Int32Value();
  const int option = info[1].As<Napi::Number>().Int32Value();
  const platform::Socket socket = platform::OpenSocket(level);
  if (socket < 0) return Napi::Number::New(info.Env(), static_cast<double>(socket));
  int length = sizeof(std::int32_t);
  const int status = platform::GetOption(socket, level, option,
                                         &addon::EnvironmentOf(info)->scratch->answer, &length);
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
  char* text = reinterpret_cast<char*>(addon::EnvironmentOf(info)->scratch->words);
  char name[256];
  const std::uint32_t length = info[0].As<Napi::Number>().Uint32Value();
  // lib/ never asks for such a name, and memory is not to depend on that.
  if (length >= sizeof(name)) return Napi::Number::New(info.Env(), -1);
  for (std::uint32_t i = 0; i < length; i++) name[i] = text[i];
  name[length] = '\0';
  return Napi::Number::New(info.Env(),
                           platform::ReadSetting(name, text, kRoom * sizeof(std::int32_t)));
}

// constants(): { values, levels }, each by the names of the headers. Called once at the most, and
// not on loading, of which it would be a tenth.
Napi::Value Constants(const Napi::CallbackInfo& info) {
  Napi::Object values = Napi::Object::New(info.Env());
  Napi::Object levels = Napi::Object::New(info.Env());
  for (std::size_t i = 0; i < platform::kConstantCount; i++) {
    const platform::Constant& constant = platform::kConstants[i];
    values.Set(constant.name, constant.value);
    if (constant.level != platform::kNoLevel) levels.Set(constant.name, constant.level);
  }
  Napi::Object both = Napi::Object::New(info.Env());
  both.Set("values", values);
  both.Set("levels", levels);
  return both;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Environment* environment = new Environment();
  env.SetInstanceData(environment);
  Napi::ArrayBuffer buffer =
      Napi::ArrayBuffer::New(env, addon::kScratchBytes + addon::kTcpInfoRoom);
  environment->scratch = static_cast<Scratch*>(buffer.Data());
  environment->buffer = Napi::Persistent(buffer);

  exports.Set("scratch", buffer);

  addon::Define(env, exports, "setOptions", SetOptions, environment);
  addon::Define(env, exports, "getOptions", GetOptions, environment);
  const auto define = [&](const char* name, Napi::Value (*callback)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, callback, name, environment));
  };
  define("constants", Constants);
  define("getDefault", GetDefault);
  define("setKeepAliveValues", SetKeepAliveValues);
  define("readSetting", ReadSetting);
  addon::AddTcpInfo(env, exports, environment);
  addon::AddConnections(env, exports, environment);
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
