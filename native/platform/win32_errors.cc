// libuv has such a table too, but without the errors of socket options: it translates
// WSAENOPROTOOPT to UV_UNKNOWN.

#include "win32_errors.h"

#include "win32_sdk.h"

namespace platform {

namespace {

struct Translation {
  DWORD error;
  UvError code;
};

constexpr Translation kTranslations[] = {
    // The registry:
    {ERROR_FILE_NOT_FOUND, UV_ENOENT},
    {ERROR_PATH_NOT_FOUND, UV_ENOENT},
    {ERROR_ACCESS_DENIED, UV_EPERM},
    {ERROR_NOT_ENOUGH_MEMORY, UV_ENOMEM},
    {ERROR_OUTOFMEMORY, UV_ENOMEM},
    {ERROR_MORE_DATA, UV_EOVERFLOW},
    {ERROR_UNSUPPORTED_TYPE, UV_ENOTSUP},
    // Winsock:
    {WSAEACCES, UV_EACCES},
    {WSAEADDRINUSE, UV_EADDRINUSE},
    {WSAEADDRNOTAVAIL, UV_EADDRNOTAVAIL},
    {WSAEAFNOSUPPORT, UV_EAFNOSUPPORT},
    {WSAEALREADY, UV_EALREADY},
    {WSAEBADF, UV_EBADF},
    {WSAECONNABORTED, UV_ECONNABORTED},
    {WSAECONNREFUSED, UV_ECONNREFUSED},
    {WSAECONNRESET, UV_ECONNRESET},
    {WSAENETRESET, UV_ECONNRESET},  // setsockopt of a connection that keepalive ended
    {WSAEDESTADDRREQ, UV_EDESTADDRREQ},
    {WSAEFAULT, UV_EFAULT},
    {WSAEHOSTUNREACH, UV_EHOSTUNREACH},
    {WSAEINTR, UV_EINTR},
    {WSAEINVAL, UV_EINVAL},
    {WSAEISCONN, UV_EISCONN},
    {WSAEMFILE, UV_EMFILE},
    {WSAEMSGSIZE, UV_EMSGSIZE},
    {WSAENETDOWN, UV_ENETDOWN},
    {WSAENETUNREACH, UV_ENETUNREACH},
    {WSAENOBUFS, UV_ENOBUFS},
    {WSAENOPROTOOPT, UV_ENOPROTOOPT},
    {WSAENOTCONN, UV_ENOTCONN},
    {WSAENOTSOCK, UV_ENOTSOCK},
    {WSAEOPNOTSUPP, UV_ENOTSUP},
    {WSAEPROTONOSUPPORT, UV_EPROTONOSUPPORT},
    {WSAEPROTOTYPE, UV_EPROTOTYPE},
    {WSAESHUTDOWN, UV_ESHUTDOWN},
    {WSAESOCKTNOSUPPORT, UV_ESOCKTNOSUPPORT},
    {WSAETIMEDOUT, UV_ETIMEDOUT},
    {WSAEWOULDBLOCK, UV_EAGAIN},
};

}  // namespace

int ToUvError(unsigned long error) {
  for (const Translation& translation : kTranslations) {
    if (translation.error == error) return translation.code;
  }
  return UV_UNKNOWN;
}

int LastSocketError() {
  return ToUvError(static_cast<DWORD>(WSAGetLastError()));
}

}  // namespace platform
