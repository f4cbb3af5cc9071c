// Tables of connections: opened, read in pieces, closed; and connections ended. Knows no system's
// layout of either: lib/connections/ writes the queries and reads the bytes.

#include "addon.h"

#include "platform/platform.h"

namespace addon {

// JS has its number, and nothing here is reached by anything else: a number that is not, or no
// longer, one of an open table finds none.
struct OpenTable {
  std::int32_t number;
  platform::ConnectionTable* table;
  napi_threadsafe_function wake;  // of a watch
  OpenTable* next;
};

namespace {

struct Bytes {
  bool given;
  void* data;
  std::size_t length;
};

// The memory of a Uint8Array. An empty one has a null pointer, and is a query like any other: that
// of macOS is empty.
Bytes BytesOf(const Call& call, std::size_t index) {
  napi_typedarray_type type = napi_int8_array;
  Bytes bytes{};
  const bool typed = napi_get_typedarray_info(call.env, call.arguments[index], &type, &bytes.length,
                                              &bytes.data, nullptr, nullptr) == napi_ok;
  if (!typed || type != napi_uint8_array) return Bytes{};
  bytes.given = true;
  return bytes;
}

// The place in the list that holds the table of that number, or the end of the list.
OpenTable** Find(const Call& call) {
  const std::int32_t number = call.Int32(0);
  OpenTable** place = &call.environment->tables;
  while (*place != nullptr && (*place)->number != number) place = &(*place)->next;
  return place;
}

// Also at the end of the environment: Node calls this before it ends the function that wakes, which
// was made earlier, and the thread that calls it must be gone by then.
void Close(void* data) {
  OpenTable* open = static_cast<OpenTable*>(data);
  platform::CloseConnectionTable(open->table);
  if (open->wake != nullptr) napi_release_threadsafe_function(open->wake, napi_tsfn_abort);
  delete open;
}

int Add(napi_env env, Environment* environment, platform::ConnectionTable* table,
        napi_threadsafe_function wake) {
  const std::int32_t last = environment->tables == nullptr ? 0 : environment->tables->number;
  // From 1 on again after 2^30 of them, when those of so long ago are closed.
  const std::int32_t number = last % (1 << 30) + 1;
  environment->tables = new OpenTable{number, table, wake, environment->tables};
  napi_add_env_cleanup_hook(env, Close, environment->tables);
  return number;
}

// Where a call leaves the name of the system call that failed; none has so far.
const char** FailedCall(const Call& call) {
  call.environment->failed_call = nullptr;
  return &call.environment->failed_call;
}

// failedCall(): the name of the system call that failed in the last call of this file, or null
// where the system refused the query itself.
napi_value NameFailedCall(napi_env env, napi_callback_info info) {
  const char* name = Call(env, info).environment->failed_call;
  napi_value answer = nullptr;
  if (name == nullptr) {
    napi_get_null(env, &answer);
  } else {
    napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &answer);
  }
  return answer;
}

// openConnectionTable(query): the table's number, or a code.
napi_value OpenConnectionTable(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Bytes query = BytesOf(call, 0);
  platform::ConnectionTable* table = nullptr;
  int status = kBadArgument;
  if (query.given) {
    status = platform::OpenConnectionTable(query.data, query.length, &table, FailedCall(call));
  }
  return call.Answer(status < 0 ? status : Add(env, call.environment, table, nullptr));
}

// readConnectionTable(number, bytes): how many were written, 0 after the last, or a code.
napi_value ReadConnectionTable(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenTable* open = *Find(call);
  const Bytes bytes = BytesOf(call, 1);
  if (open == nullptr || bytes.length == 0) return call.Answer(kBadArgument);
  return call.Answer(
      platform::ReadConnectionTable(open->table, bytes.data, bytes.length, FailedCall(call)));
}

// closeConnectionTable(number).
napi_value CloseConnectionTable(napi_env env, napi_callback_info info) {
  OpenTable** place = Find(Call(env, info));
  OpenTable* open = *place;
  if (open == nullptr) return nullptr;
  *place = open->next;
  napi_remove_env_cleanup_hook(env, Close, open);
  Close(open);
  return nullptr;
}

// destroyConnection(query): 0 or a code.
napi_value DestroyConnection(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Bytes query = BytesOf(call, 0);
  if (!query.given) return call.Answer(kBadArgument);
  return call.Answer(platform::DestroyConnection(query.data, query.length, FailedCall(call)));
}

void Wake(void* function) {
  napi_call_threadsafe_function(static_cast<napi_threadsafe_function>(function), nullptr,
                                napi_tsfn_nonblocking);
}

// watchClosedConnections(limit, callback): the number of a table that grows, or a code. `callback`
// is called when there is something to read. Does not keep the process from ending.
napi_value WatchClosedConnections(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const std::int32_t limit = call.Int32(0);
  napi_value name = nullptr;
  napi_create_string_utf8(env, "socket-options:connections", NAPI_AUTO_LENGTH, &name);
  napi_threadsafe_function wake = nullptr;
  if (limit <= 0 ||
      napi_create_threadsafe_function(env, call.arguments[1], nullptr, name, 0, 1, nullptr, nullptr,
                                      nullptr, nullptr, &wake) != napi_ok) {
    return call.Answer(kBadArgument);
  }
  napi_unref_threadsafe_function(env, wake);
  platform::ConnectionTable* table = nullptr;
  const int status = platform::WatchClosedConnections(static_cast<std::size_t>(limit), Wake, wake,
                                                      &table, FailedCall(call));
  if (status < 0) {
    napi_release_threadsafe_function(wake, napi_tsfn_abort);
    return call.Answer(status);
  }
  return call.Answer(Add(env, call.environment, table, wake));
}

// holdWatch(number, hold): whether it keeps the process from ending.
napi_value HoldWatch(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenTable* open = *Find(call);
  if (open == nullptr || open->wake == nullptr) return nullptr;
  if (call.Boolean(1)) {
    napi_ref_threadsafe_function(env, open->wake);
  } else {
    napi_unref_threadsafe_function(env, open->wake);
  }
  return nullptr;
}

}  // namespace

void AddConnections(Napi::Object exports, Environment* environment) {
  Define(exports, environment,
         {
             {"openConnectionTable", OpenConnectionTable},
             {"readConnectionTable", ReadConnectionTable},
             {"closeConnectionTable", CloseConnectionTable},
             {"destroyConnection", DestroyConnection},
             {"watchClosedConnections", WatchClosedConnections},
             {"holdWatch", HoldWatch},
             {"failedCall", NameFailedCall},
         });
}

}  // namespace addon
