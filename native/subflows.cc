// The subflows of a Multipath TCP connection. lib/mptcp/ decodes the bytes. Only for Linux.

#include "addon.h"
#include "platform/platform.h"

namespace addon {
namespace {

// readSubflows(socket, option, bytes): reads one of the options that describe subflows. Returns the
// length that the kernel reports, or a code.
napi_value ReadSubflows(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Bytes bytes = call.TypedArray(2, napi_uint8_array);
  if (!bytes.is_valid) return call.Return(kBadArgument);
  return call.Return(platform::GetSubflows(static_cast<platform::Socket>(call.Int64(0)),
                                           call.Int32(1), bytes.data, bytes.length));
}

}  // namespace

void AddSubflows(Napi::Object exports, Environment* environment) {
  Define(exports, environment, {{"readSubflows", ReadSubflows}});
}

}  // namespace addon
