// An addon with nothing in it: what loading any addon costs.

#include <node_api.h>

NAPI_MODULE_INIT() {
  (void)env;
  return exports;
}
