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

#include "platform/platform.h"

namespace addon {

void Define(Napi::Object exports, Environment* environment,
            std::initializer_list<Function> functions) {
  for (const Function& function : functions) {
    napi_value value = nullptr;
    napi_create_function(exports.Env(), function.name, NAPI_AUTO_LENGTH, function.callback,
                         environment, &value);
    napi_set_named_property(exports.Env(), exports, function.name, value);
  }
}

}  // namespace addon

namespace {

using addon::Call;
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

// getDefault(level, option): 0 with a 32-bit value as `answer`, as a new socket has it; or a code,
// with an `answer` of 0 where no socket could be made, and of 1 where it was refused to the socket.
napi_value GetDefault(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const int level = call.Int32(0);
  std::int32_t* answer = &call.environment->scratch->answer;
  *answer = 0;
  const platform::Socket socket = platform::OpenSocket(level);
  if (socket < 0) return call.Answer(static_cast<int>(socket));
  int length = sizeof(std::int32_t);
  const int status = platform::GetOption(socket, level, call.Int32(1), answer, &length);
  platform::CloseSocket(socket);
  if (status < 0) *answer = 1;
  return call.Answer(status);
}

// setKeepAliveValues(socket, enable, initialDelay, interval): 0 or a negative code.
napi_value SetKeepAliveValues(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  std::int64_t socket = 0;
  napi_get_value_int64(env, call.arguments[0], &socket);
  return call.Answer(platform::SetKeepAliveValues(static_cast<platform::Socket>(socket),
                                                  call.Boolean(1), call.Uint32(2), call.Uint32(3)));
}

// readSetting(length): the name is in the scratch buffer, its text replaces it there.
napi_value ReadSetting(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  char* text = reinterpret_cast<char*>(call.environment->scratch->words);
  char name[256];
  const std::uint32_t length = call.Uint32(0);
  if (length >= sizeof(name)) return call.Answer(addon::kBadArgument);
  for (std::uint32_t i = 0; i < length; i++) name[i] = text[i];
  name[length] = '\0';
  return call.Answer(platform::ReadSetting(name, text, kRoom * sizeof(std::int32_t)));
}

void SetInteger(napi_env env, napi_value object, const char* name, int integer) {
  napi_value value = nullptr;
  napi_create_int32(env, integer, &value);
  napi_set_named_property(env, object, name, value);
}

// constants(): { values, levels }, each by the names of the headers. Called once at the most, and
// not on loading, of which it would be a tenth.
napi_value Constants(napi_env env, napi_callback_info) {
  napi_value values = nullptr;
  napi_value levels = nullptr;
  napi_value both = nullptr;
  napi_create_object(env, &values);
  napi_create_object(env, &levels);
  napi_create_object(env, &both);
  for (std::size_t i = 0; i < platform::kConstantCount; i++) {
    const platform::Constant& constant = platform::kConstants[i];
    SetInteger(env, values, constant.name, constant.value);
    if (constant.level != platform::kNoLevel) {
      SetInteger(env, levels, constant.name, constant.level);
    }
  }
  napi_set_named_property(env, both, "values", values);
  napi_set_named_property(env, both, "levels", levels);
  return both;
}

void End(Napi::Env env, Environment* environment) {
  napi_delete_reference(env, environment->buffer);
  addon::EndOfSearches(environment);
  delete environment;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Environment* environment = new Environment();
  env.SetInstanceData<Environment, End>(environment);
  napi_value buffer = nullptr;
  void* scratch = nullptr;
  // Without the memory there is nothing to call; what is pending becomes the error of loading.
  if (napi_create_arraybuffer(env, addon::kScratchBytes + addon::kTcpInfoRoom, &scratch, &buffer) !=
      napi_ok) {
    return exports;
  }
  environment->scratch = static_cast<Scratch*>(scratch);
  napi_create_reference(env, buffer, 1, &environment->buffer);
  napi_set_named_property(env, exports, "scratch", buffer);

  addon::Define(exports, environment,
                {
                    {"setOptions", SetOptions},
                    {"getOptions", GetOptions},
                    {"constants", Constants},
                    {"getDefault", GetDefault},
                    {"setKeepAliveValues", SetKeepAliveValues},
                    {"readSetting", ReadSetting},
                });
  addon::AddTcpInfo(exports, environment);
  addon::AddConnections(exports, environment);
  addon::AddHandles(exports, environment);
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
