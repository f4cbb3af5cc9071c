// The state of connections. TCP_INFO: of one socket into the scratch buffer; of many at once into a
// batch buffer, in this thread or in another one. lib/tcp-info/ decodes the bytes.

#include <algorithm>
#include <memory>

#include "addon.h"
#include "platform/platform.h"

namespace addon {
namespace {

// readTcpInfo(): reads the info of the head's socket to its place behind the records. Stores the
// length, or a code, in the head.
napi_value ReadTcpInfo(napi_env env, napi_callback_info info) {
  Scratch* scratch = GetScratch(env, info);
  scratch->count =
      platform::GetTcpInfo(static_cast<platform::Socket>(scratch->socket),
                           reinterpret_cast<unsigned char*>(scratch) + kScratchBytes, kTcpInfoRoom);
  return nullptr;
}

// readQueues(): reads the queues of the head's socket to the first three words of the records.
napi_value ReadQueues(napi_env env, napi_callback_info info) {
  Scratch* scratch = GetScratch(env, info);
  scratch->count =
      platform::GetQueues(static_cast<platform::Socket>(scratch->socket), scratch->words);
  return nullptr;
}

// isReusable(): stores 1, 0 or a code for the head's socket in the head.
napi_value IsReusable(napi_env env, napi_callback_info info) {
  Scratch* scratch = GetScratch(env, info);
  scratch->count = platform::IsReusable(static_cast<platform::Socket>(scratch->socket));
  return nullptr;
}

// A batch is an ArrayBuffer of entries. JS writes the sockets and finds the results here.
struct Entry {
  double socket;        // below zero: it is closed
  std::int32_t length;  // of the info, or a code
  std::int32_t reserved;
  std::uint64_t identity;  // 0: read whatever socket has this number
  unsigned char info[296];
};
static_assert(sizeof(Entry) == 320, "lib/tcp-info/ has the same layout");

// Checks the identity after reading: a socket that still has its number then had it during the
// reading too.
void Read(Entry* entry) {
  if (!(entry->socket >= 0)) {
    entry->length = platform::kClosed;
    return;
  }
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

void Identify(Entry* entry) {
  entry->identity = 0;
  platform::GetIdentity(static_cast<platform::Socket>(entry->socket), &entry->identity);
}

struct Batch {
  Entry* entries = nullptr;
  std::size_t count = 0;

  Entry* begin() const {
    return entries;
  }
  Entry* end() const {
    return entries + count;
  }
};

// The batch in the first two arguments. It never has more entries than the buffer.
Batch GetBatch(napi_env env, const Call& call) {
  void* data = nullptr;
  std::size_t size = 0;
  if (napi_get_arraybuffer_info(env, call.argument(0), &data, &size) != napi_ok) return {};
  return {static_cast<Entry*>(data), std::min<std::size_t>(call.Uint32(1), size / sizeof(Entry))};
}

void ReadAll(const Batch& batch) {
  for (Entry& entry : batch) Read(&entry);
}

// readTcpInfos(batch, count): reads all entries in this thread.
napi_value ReadTcpInfos(napi_env env, napi_callback_info info) {
  ReadAll(GetBatch(env, Call(env, info)));
  return nullptr;
}

// identifySockets(batch, count): stores the identity of each socket; 0 if it has none.
napi_value IdentifySockets(napi_env env, napi_callback_info info) {
  for (Entry& entry : GetBatch(env, Call(env, info))) Identify(&entry);
  return nullptr;
}

// A batch that a thread of libuv's pool reads. Meanwhile the program may close any descriptor, and
// its number may belong to another socket. An entry with an identity shows it. lib/ checks the
// others afterwards, by their handles.
//
// Not Napi::AsyncWorker: it throws where this reads in the calling thread instead, and its errors
// have the cost that addon.h explains.
struct AsyncBatch {
  Batch batch;
  napi_async_work work = nullptr;
  napi_ref buffer = nullptr;
  napi_ref callback = nullptr;
};

void Execute(napi_env, void* data) {
  ReadAll(static_cast<AsyncBatch*>(data)->batch);
}

void Release(napi_env env, const AsyncBatch& async) {
  if (async.work != nullptr) napi_delete_async_work(env, async.work);
  if (async.buffer != nullptr) napi_delete_reference(env, async.buffer);
  if (async.callback != nullptr) napi_delete_reference(env, async.callback);
}

void Complete(napi_env env, napi_status, void* data) {
  const std::unique_ptr<AsyncBatch> async(static_cast<AsyncBatch*>(data));
  napi_value callback = nullptr;
  napi_value undefined = nullptr;
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(env, &scope);
  napi_get_reference_value(env, async->callback, &callback);
  napi_get_undefined(env, &undefined);
  Release(env, *async);
  napi_call_function(env, undefined, callback, 0, nullptr, nullptr);
  napi_close_handle_scope(env, scope);
}

bool Queue(napi_env env, const Call& call, AsyncBatch* async) {
  napi_value name = nullptr;
  return napi_create_string_utf8(env, "socket-options:tcp-info", NAPI_AUTO_LENGTH, &name) ==
             napi_ok &&
         napi_create_reference(env, call.argument(0), 1, &async->buffer) == napi_ok &&
         napi_create_reference(env, call.argument(2), 1, &async->callback) == napi_ok &&
         napi_create_async_work(env, nullptr, name, Execute, Complete, async, &async->work) ==
             napi_ok &&
         napi_queue_async_work(env, async->work) == napi_ok;
}

// sweepTcpInfos(batch, count, callback): reads all entries in another thread, then calls
// `callback`. Returns false if no thread is available: then all entries were read in this thread,
// and nothing is called.
napi_value SweepTcpInfos(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  auto async = std::make_unique<AsyncBatch>();
  async->batch = GetBatch(env, call);
  const bool is_queued = async->batch.count > 0 && Queue(env, call, async.get());
  if (is_queued) {
    static_cast<void>(async.release());
  } else {
    Release(env, *async);
    ReadAll(async->batch);
  }
  return call.Return(is_queued);
}

}  // namespace

void AddTcpInfo(Napi::Object exports, Environment* environment) {
  Define(exports, environment,
         {
             {"readTcpInfo", ReadTcpInfo},
             {"readQueues", ReadQueues},
             {"isReusable", IsReusable},
             {"readTcpInfos", ReadTcpInfos},
             {"identifySockets", IdentifySockets},
             {"sweepTcpInfos", SweepTcpInfos},
         });
}

}  // namespace addon
