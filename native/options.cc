// Options cross in the scratch buffer that JS and C++ share. Its head has the socket and the number
// of records. A record is a row of 32-bit words:
//
//   level, option, length in bytes, the value padded to whole words
//
// So any number of options of any size takes one call, and no JS value is made or read here. If the
// system refuses a record, its length is replaced by the negative code.

#include "addon.h"
#include "platform/platform.h"

namespace addon {
namespace {

struct Record {
  std::int32_t level;
  std::int32_t option;
  std::int32_t length;
  std::int32_t value[1];
};
constexpr std::size_t kHeadWords = 3;

// Calls `handle(record)` for each record that the head counts, until it returns false. Returns how
// many records were handled. Stops at a record that reaches beyond the buffer: defence in depth,
// lib/ never writes one.
template <typename Handle>
inline std::int32_t ForEachRecord(Scratch* scratch, Handle handle) {
  std::size_t at = 0;
  for (std::int32_t i = 0; i < scratch->count; i++) {
    if (at + kHeadWords > kWords) return i;
    Record* record = reinterpret_cast<Record*>(scratch->words + at);
    const std::size_t room = (kWords - at - kHeadWords) * sizeof(std::int32_t);
    if (record->length < 0 || static_cast<std::size_t>(record->length) > room) return i;
    at += kHeadWords + (static_cast<std::size_t>(record->length) + 3) / 4;
    if (!handle(record)) return i;
  }
  return scratch->count;
}

// setOptions(): writes the records and stops at the first one that is refused. Stores in the head
// how many were written.
napi_value SetOptions(napi_env env, napi_callback_info info) {
  Scratch* scratch = GetScratch(env, info);
  const auto socket = static_cast<platform::Socket>(scratch->socket);
  scratch->count = ForEachRecord(scratch, [socket](Record* record) {
    const int status =
        platform::SetOption(socket, record->level, record->option, record->value, record->length);
    if (status < 0) record->length = status;
    return status >= 0;
  });
  return nullptr;
}

// getOptions(): reads the records, also those after one that is refused. Stores in the head how
// many were read.
napi_value GetOptions(napi_env env, napi_callback_info info) {
  Scratch* scratch = GetScratch(env, info);
  const auto socket = static_cast<platform::Socket>(scratch->socket);
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

// getDefault(level, option): returns 0 and stores the 32-bit value of a new socket as `answer`. Or
// returns a code; then `answer` is 0 if no socket could be opened, 1 if the option was refused.
napi_value GetDefault(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const int level = call.Int32(0);
  std::int32_t* answer = &call.environment()->scratch->answer;
  *answer = 0;
  const platform::Socket socket = platform::OpenTcpSocket(level);
  if (socket < 0) return call.Return(static_cast<int>(socket));
  int length = sizeof(*answer);
  const int status = platform::GetOption(socket, level, call.Int32(1), answer, &length);
  platform::CloseSocket(socket);
  if (status < 0) *answer = 1;
  return call.Return(status);
}

// setKeepAliveValues(socket, enable, initialDelay, interval): returns 0 or a code.
napi_value SetKeepAliveValues(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  return call.Return(platform::SetKeepAliveValues(static_cast<platform::Socket>(call.Int64(0)),
                                                  call.Boolean(1), call.Uint32(2), call.Uint32(3)));
}

}  // namespace

void AddOptions(Napi::Object exports, Environment* environment) {
  Define(exports, environment,
         {
             {"setOptions", SetOptions},
             {"getOptions", GetOptions},
             {"getDefault", GetDefault},
             {"setKeepAliveValues", SetKeepAliveValues},
         });
}

}  // namespace addon
