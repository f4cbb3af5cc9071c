#include "libuv.h"

#include <cstring>

namespace addon {

template <typename Function>
void Libuv::Find(const char* name, Function* function) {
  const platform::HostFunction found = platform::FindHostFunction(name);
  *function = reinterpret_cast<Function>(found);
  is_complete = is_complete && found != nullptr;
}

Libuv::Libuv() {
  Find("uv_walk", &walk);
  Find("uv_handle_get_type", &handle_get_type);
  Find("uv_handle_type_name", &handle_type_name);
  Find("uv_has_ref", &has_ref);
  Find("uv_ref", &ref);
  Find("uv_unref", &unref);
  Find("uv_fileno", &fileno);
  // By name: a later libuv may number its types differently.
  for (int type = 1; is_complete && type < 64; type++) {
    const char* name = handle_type_name(type);
    if (name == nullptr) continue;
    if (std::strcmp(name, "tcp") == 0) tcp = type;
    if (std::strcmp(name, "udp") == 0) udp = type;
  }
  is_complete = is_complete && tcp != 0 && udp != 0;
}

}  // namespace addon
