// An empty addon: the cost of loading any addon.

#include <node_api.h>

NAPI_MODULE_INIT() {
  (void)env;
  return exports;
}
