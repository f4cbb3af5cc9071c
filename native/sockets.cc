// Sockets of this package, which Node takes over: open, bind, close. And addresses of any socket.

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

// bindSocket(socket, length, port): an IP address in text form is in the scratch buffer. Returns 0
// or a code.
napi_value BindSocket(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  char address[64];
  const std::uint32_t length = call.Uint32(1);
  if (length >= sizeof(address)) return call.Return(kBadArgument);
  std::memcpy(address, call.environment()->scratch->words, length);
  address[length] = '\0';
  return call.Return(platform::BindSocket(static_cast<platform::Socket>(call.Int64(0)), address,
                                          static_cast<std::uint16_t>(call.Uint32(2))));
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
             {"bindSocket", BindSocket},
             {"closeSocket", CloseSocket},
             {"readAddress", ReadAddress},
         });
}

}  // namespace addon
