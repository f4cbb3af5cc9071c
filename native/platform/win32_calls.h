// The calls whose result depends on the version of Windows. The tests link another table, which
// acts as an older or newer version: test/lanes/windows/fake/windows.cc.

#ifndef SOCKET_OPTIONS_WIN32_CALLS_H_
#define SOCKET_OPTIONS_WIN32_CALLS_H_

#include <winsock2.h>

namespace platform {

struct Win32Calls {
  decltype(&::setsockopt) set_option;
  decltype(&::getsockopt) get_option;
  decltype(&::WSAIoctl) control;
};

extern const Win32Calls kWin32Calls;

}  // namespace platform

#endif  // SOCKET_OPTIONS_WIN32_CALLS_H_
