// Errors of Windows as libuv codes. The enumeration has the numbers of libuv's uv/errno.h for
// Windows: prebuilds are compiled without libuv's headers.

#ifndef SOCKET_OPTIONS_WIN32_ERRORS_H_
#define SOCKET_OPTIONS_WIN32_ERRORS_H_

namespace platform {

enum UvError : int {
  UV_UNKNOWN = -4094,
  UV_EACCES = -4092,
  UV_EADDRINUSE = -4091,
  UV_EADDRNOTAVAIL = -4090,
  UV_EAFNOSUPPORT = -4089,
  UV_EAGAIN = -4088,
  UV_EALREADY = -4084,
  UV_EBADF = -4083,
  UV_ECONNABORTED = -4079,
  UV_ECONNREFUSED = -4078,
  UV_ECONNRESET = -4077,
  UV_EDESTADDRREQ = -4076,
  UV_EFAULT = -4074,
  UV_EHOSTUNREACH = -4073,
  UV_EINTR = -4072,
  UV_EINVAL = -4071,
  UV_EISCONN = -4069,
  UV_EMFILE = -4066,
  UV_EMSGSIZE = -4065,
  UV_ENETDOWN = -4063,
  UV_ENETUNREACH = -4062,
  UV_ENOBUFS = -4060,
  UV_ENOENT = -4058,
  UV_ENOMEM = -4057,
  UV_ENOTCONN = -4053,
  UV_ENOTSOCK = -4050,
  UV_ENOTSUP = -4049,
  UV_EPERM = -4048,
  UV_EPROTONOSUPPORT = -4045,
  UV_EPROTOTYPE = -4044,
  UV_ESHUTDOWN = -4042,
  UV_ETIMEDOUT = -4039,
  UV_ENOPROTOOPT = -4035,
  UV_EOVERFLOW = -4026,
  UV_ESOCKTNOSUPPORT = -4025,
};

// Translates an error of Winsock or of the registry.
int ToUvError(unsigned long error);

// Translates WSAGetLastError().
int LastSocketError();

}  // namespace platform

#endif  // SOCKET_OPTIONS_WIN32_ERRORS_H_
