// Tables of connections that JS opens, reads in parts and closes; and connections that it ends.
// lib/connections/ writes the queries and decodes the answers: here they are bytes.

#include "addon.h"
#include "platform/platform.h"

namespace addon {

// JS has only the number of a table. A number that is wrong or out of date finds no table.
struct OpenTable {
  std::int32_t number;
  platform::ConnectionTable* table;
  napi_threadsafe_function wake;  // null except for a watch
  OpenTable* next;
};

namespace {

// Finds the link to the table whose number is the first argument, or the link at the end.
OpenTable** FindTable(const Call& call) {
  const std::int32_t number = call.Int32(0);
  OpenTable** link = &call.environment()->tables;
  while (*link != nullptr && (*link)->number != number) link = &(*link)->next;
  return link;
}

// Also the cleanup hook of a table. At the end of an environment Node calls the hooks in reverse
// order of their creation: this one before it destroys `wake`. So the thread that calls `wake` has
// ended by then.
void Close(void* data) {
  OpenTable* open = static_cast<OpenTable*>(data);
  platform::CloseConnectionTable(open->table);
  if (open->wake != nullptr) napi_release_threadsafe_function(open->wake, napi_tsfn_abort);
  delete open;
}

// Returns the number of the table.
int AddTable(napi_env env, Environment* environment, platform::ConnectionTable* table,
             napi_threadsafe_function wake) {
  const std::int32_t last = environment->tables == nullptr ? 0 : environment->tables->number;
  // Starts at 1 again after 2^30 tables: the first ones are closed by then.
  const std::int32_t number = last % (1 << 30) + 1;
  environment->tables = new OpenTable{number, table, wake, environment->tables};
  napi_add_env_cleanup_hook(env, Close, environment->tables);
  return number;
}

// Where platform.h stores the name of a system call that failed.
const char** FailedCall(const Call& call) {
  call.environment()->failed_call = nullptr;
  return &call.environment()->failed_call;
}

// failedCall(): returns the name of the system call that failed in the last function of this file,
// or null if the system refused the query itself.
napi_value GetFailedCall(napi_env env, napi_callback_info info) {
  const char* name = Call(env, info).environment()->failed_call;
  napi_value result = nullptr;
  if (name == nullptr) {
    napi_get_null(env, &result);
  } else {
    napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &result);
  }
  return result;
}

// openConnectionTable(query): returns the table's number, or a code. The query of macOS is empty.
napi_value OpenConnectionTable(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Bytes query = call.TypedArray(0, napi_uint8_array);
  if (!query.is_valid) return call.Return(kBadArgument);
  platform::ConnectionTable* table = nullptr;
  const int status =
      platform::OpenConnectionTable(query.data, query.length, &table, FailedCall(call));
  if (status < 0) return call.Return(status);
  return call.Return(AddTable(env, call.environment(), table, nullptr));
}

// readConnectionTable(number, bytes): returns how many bytes were written, 0 after the last, or a
// code.
napi_value ReadConnectionTable(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenTable* open = *FindTable(call);
  const Bytes bytes = call.TypedArray(1, napi_uint8_array);
  if (open == nullptr || bytes.length == 0) return call.Return(kBadArgument);
  return call.Return(
      platform::ReadConnectionTable(open->table, bytes.data, bytes.length, FailedCall(call)));
}

// closeConnectionTable(number)
napi_value CloseConnectionTable(napi_env env, napi_callback_info info) {
  OpenTable** link = FindTable(Call(env, info));
  OpenTable* open = *link;
  if (open == nullptr) return nullptr;
  *link = open->next;
  napi_remove_env_cleanup_hook(env, Close, open);
  Close(open);
  return nullptr;
}

// destroyConnection(query): returns 0 or a code.
napi_value DestroyConnection(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Bytes query = call.TypedArray(0, napi_uint8_array);
  if (!query.is_valid) return call.Return(kBadArgument);
  return call.Return(platform::DestroyConnection(query.data, query.length, FailedCall(call)));
}

void Wake(void* function) {
  napi_call_threadsafe_function(static_cast<napi_threadsafe_function>(function), nullptr,
                                napi_tsfn_nonblocking);
}

// watchClosedConnections(limit, callback): returns the number of a table that grows, or a code.
// `callback` is called when there is something to read. Does not keep the process alive.
napi_value WatchClosedConnections(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const std::int32_t limit = call.Int32(0);
  napi_value name = nullptr;
  napi_create_string_utf8(env, "socket-options:connections", NAPI_AUTO_LENGTH, &name);
  napi_threadsafe_function wake = nullptr;
  if (limit <= 0 ||
      napi_create_threadsafe_function(env, call.argument(1), nullptr, name, 0, 1, nullptr, nullptr,
                                      nullptr, nullptr, &wake) != napi_ok) {
    return call.Return(kBadArgument);
  }
  napi_unref_threadsafe_function(env, wake);
  platform::ConnectionTable* table = nullptr;
  const int status = platform::WatchClosedConnections(static_cast<std::size_t>(limit), Wake, wake,
                                                      &table, FailedCall(call));
  if (status < 0) {
    napi_release_threadsafe_function(wake, napi_tsfn_abort);
    return call.Return(status);
  }
  return call.Return(AddTable(env, call.environment(), table, wake));
}

// holdWatch(number, hold): sets whether the watch keeps the process alive.
napi_value HoldWatch(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenTable* open = *FindTable(call);
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
             {"failedCall", GetFailedCall},
         });
}

}  // namespace addon
