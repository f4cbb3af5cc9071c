// The functions of libuv that handles.cc needs, as the running program exports them. No header of
// libuv is included: only addresses and numbers cross, never a structure. The functions are looked
// up by the first search, so that the addon also loads in a runtime that lacks some of them.

#ifndef SOCKET_OPTIONS_LIBUV_H_
#define SOCKET_OPTIONS_LIBUV_H_

#include "platform/platform.h"

namespace addon {

struct Libuv {
  using Handle = const void;
  using Visit = void (*)(Handle* handle, void* context);

  void (*walk)(void* loop, Visit visit, void* context) = nullptr;
  int (*handle_get_type)(Handle* handle) = nullptr;
  const char* (*handle_type_name)(int type) = nullptr;
  int (*has_ref)(Handle* handle) = nullptr;
  void (*ref)(Handle* handle) = nullptr;
  void (*unref)(Handle* handle) = nullptr;
  int (*fileno)(Handle* handle, platform::Descriptor* descriptor) = nullptr;

  // Types of handles.
  int tcp = 0;
  int udp = 0;

  // Whether all of the above was found.
  bool is_complete = true;

  Libuv();

 private:
  template <typename Function>
  void Find(const char* name, Function* function);
};

}  // namespace addon

#endif  // SOCKET_OPTIONS_LIBUV_H_
