// Sockets of this package, which Node takes over: open and close. And addresses of any socket.

#include <cstring>

#include "addon.h"
#include "platform/platform.h"

namespace addon {
namespace {

// openSocket(family, type, protocol): returns a descriptor or a code.
napi_value OpenSocket(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const platform::Socket socket = platform::OpenSocket(call.Int32(0), call.Int32(1), call.Int32(2));
  return call.Return(static_cast<int>(socket));
}

// closeSocket(socket): for a socket that nobody has taken over.
napi_value CloseSocket(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  platform::CloseSocket(static_cast<platform::Socket>(call.Int64(0)));
  return nullptr;
}

// readAddress(socket, peer): stores the address of the socket, or its peer's, as sockaddr in the
// records. Returns its length or a code.
napi_value ReadAddress(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  int length = 128;  // sizeof(sockaddr_storage)
  const int status =
      platform::GetName(static_cast<platform::Socket>(call.Int64(0)), call.Boolean(1),
                        call.environment()->scratch->words, &length);
  return call.Return(status < 0 ? status : length);
}

}  // namespace

void AddSockets(Napi::Object exports, Environment* environment) {
  Define(exports, environment,
         {
             {"openSocket", OpenSocket},
             {"closeSocket", CloseSocket},
             {"readAddress", ReadAddress},
         });
}

}  // namespace addon
