// TCP_INFO: of one socket into the scratch buffer; of many at once into a sheet, here or in a
// thread of its own. Knows no field: lib/tcp-info/ reads the bytes.

#include "addon.h"

#include <algorithm>
#include <memory>

#include "platform/platform.h"

namespace addon {
namespace {

// readTcpInfo(): of the head's socket, behind the records. Leaves the length, or a code, in the
// head.
napi_value ReadTcpInfo(napi_env env, napi_callback_info info) {
  Scratch* scratch = ScratchOf(env, info);
  scratch->count =
      platform::GetTcpInfo(static_cast<platform::Socket>(scratch->socket),
                           reinterpret_cast<unsigned char*>(scratch) + kScratchBytes, kTcpInfoRoom);
  return nullptr;
}

// readQueues(): of the head's socket, as the first three words of the records.
napi_value ReadQueues(napi_env env, napi_callback_info info) {
  Scratch* scratch = ScratchOf(env, info);
  scratch->count =
      platform::GetQueues(static_cast<platform::Socket>(scratch->socket), scratch->words);
  return nullptr;
}

// A sheet is an ArrayBuffer of these: JS fills in the sockets, and finds here what came of each.
struct Entry {
  double socket;  // below zero: there is none
  std::int32_t length;
  std::int32_t reserved;
  std::uint64_t identity;  // 0: any socket that has this number now
  unsigned char info[296];
};
static_assert(sizeof(Entry) == 320, "lib/tcp-info/columns.ts counts on it");

// Identified after the reading: a socket that still has its number then had it all the time.
void Read(Entry* entry) {
  const auto socket = static_cast<platform::Socket>(entry->socket);
  entry->length = platform::GetTcpInfo(socket, entry->info, sizeof(entry->info));
  if (entry->identity == 0) return;
  std::uint64_t identity = 0;
  const int status = platform::GetIdentity(socket, &identity);
  if (status < 0) {
    entry->length = status;
  } else if (identity != entry->identity) {
    entry->length = platform::kClosed;
  }
}

// The entries that JS says are to be read: no more than the buffer holds, whatever it says.
struct Sheet {
  Entry* entries = nullptr;
  std::size_t count = 0;
};

// Of the call's first two arguments.
Sheet SheetOf(const Call& call) {
  void* data = nullptr;
  std::size_t size = 0;
  if (napi_get_arraybuffer_info(call.env, call.arguments[0], &data, &size) != napi_ok) return {};
  return {static_cast<Entry*>(data), std::min<std::size_t>(call.Uint32(1), size / sizeof(Entry))};
}

// readTcpInfos(sheet, count): reads them all, here.
napi_value ReadTcpInfos(napi_env env, napi_callback_info info) {
  const Sheet sheet = SheetOf(Call(env, info));
  for (std::size_t i = 0; i < sheet.count; i++) {
    if (sheet.entries[i].socket >= 0) Read(&sheet.entries[i]);
  }
  return nullptr;
}

void Identify(Entry* entry) {
  entry->identity = 0;
  platform::GetIdentity(static_cast<platform::Socket>(entry->socket), &entry->identity);
}

// identifySockets(sheet, count): leaves the identity of each socket, 0 where there is none.
napi_value IdentifySockets(napi_env env, napi_callback_info info) {
  const Sheet sheet = SheetOf(Call(env, info));
  for (std::size_t i = 0; i < sheet.count; i++) Identify(&sheet.entries[i]);
  return nullptr;
}

// A sheet that is read in a thread of libuv's pool. Meanwhile any descriptor may be closed, and its
// number given to another socket; so the thread reads only sockets that were identified before.
struct Sweep {
  Sheet sheet;
  napi_async_work work = nullptr;
  napi_ref buffer = nullptr;
  napi_ref callback = nullptr;
};

void ReadIdentified(const Sheet& sheet) {
  for (std::size_t i = 0; i < sheet.count; i++) {
    if (sheet.entries[i].identity != 0) Read(&sheet.entries[i]);
  }
}

void RunSweep(napi_env, void* data) {
  ReadIdentified(static_cast<Sweep*>(data)->sheet);
}

void Release(napi_env env, const Sweep& sweep) {
  if (sweep.work != nullptr) napi_delete_async_work(env, sweep.work);
  if (sweep.buffer != nullptr) napi_delete_reference(env, sweep.buffer);
  if (sweep.callback != nullptr) napi_delete_reference(env, sweep.callback);
}

void EndSweep(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Sweep> sweep(static_cast<Sweep*>(data));
  napi_value callback = nullptr;
  napi_value undefined = nullptr;
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(env, &scope);
  napi_get_reference_value(env, sweep->callback, &callback);
  napi_get_undefined(env, &undefined);
  Release(env, *sweep);
  napi_call_function(env, undefined, callback, 0, nullptr, nullptr);
  napi_close_handle_scope(env, scope);
}

// sweepTcpInfos(sheet, count, callback): reads them all in a thread, then calls; identifies those
// before that have no identity yet. Answers false where no thread could be sure of any, or none can
// be had: then all were read here, and nothing is called.
napi_value SweepTcpInfos(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  auto sweep = std::make_unique<Sweep>();
  sweep->sheet = SheetOf(call);
  bool begins = false;
  for (std::size_t i = 0; i < sweep->sheet.count; i++) {
    Entry* entry = &sweep->sheet.entries[i];
    if (entry->socket < 0) continue;
    if (entry->identity == 0) Identify(entry);
    if (entry->identity == 0) Read(entry);
    begins = begins || entry->identity != 0;
  }
  napi_value name = nullptr;
  napi_value begun = nullptr;
  begins =
      begins &&
      napi_create_string_utf8(env, "socket-options:tcp-info", NAPI_AUTO_LENGTH, &name) == napi_ok &&
      napi_create_reference(env, call.arguments[0], 1, &sweep->buffer) == napi_ok &&
      napi_create_reference(env, call.arguments[2], 1, &sweep->callback) == napi_ok &&
      napi_create_async_work(env, nullptr, name, RunSweep, EndSweep, sweep.get(), &sweep->work) ==
          napi_ok &&
      napi_queue_async_work(env, sweep->work) == napi_ok;
  if (begins) {
    static_cast<void>(sweep.release());
  } else {
    Release(env, *sweep);
    ReadIdentified(sweep->sheet);
  }
  napi_get_boolean(env, begins, &begun);
  return begun;
}

}  // namespace

void AddTcpInfo(Napi::Object exports, Environment* environment) {
  Define(exports, environment,
         {
             {"readTcpInfo", ReadTcpInfo},
             {"readQueues", ReadQueues},
             {"readTcpInfos", ReadTcpInfos},
             {"identifySockets", IdentifySockets},
             {"sweepTcpInfos", SweepTcpInfos},
         });
}

}  // namespace addon
