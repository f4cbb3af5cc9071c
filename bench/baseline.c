// The baseline: bare system calls in a C loop, inside the same Node process as the measured
// package. A separate C program would be no fair baseline: in a process with one thread, every
// system call is cheaper.

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <node_api.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

// One option, as three numbers of an Int32Array.
typedef struct {
  int32_t level;
  int32_t option;
  int32_t value;
} Setting;

// Only the number of arguments is checked: bench/ is the only caller.
static void Arguments(napi_env env, napi_callback_info info, size_t count, napi_value* values) {
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
}

static int32_t Integer(napi_env env, napi_value value) {
  int32_t number = 0;
  napi_get_value_int32(env, value, &number);
  return number;
}

static Setting* Settings(napi_env env, napi_value array, size_t* count) {
  size_t words = 0;
  void* data = NULL;
  napi_get_typedarray_info(env, array, NULL, &words, &data, NULL, NULL);
  *count = words * sizeof(int32_t) / sizeof(Setting);
  return data;
}

static napi_value Number(napi_env env, int32_t number) {
  napi_value value = NULL;
  napi_create_int32(env, number, &value);
  return value;
}

// setLoop(fd, iterations, even, odd): sets every option of `even`, the next time those of `odd`,
// and so on. Returns 0, or the first -errno.
static napi_value SetLoop(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  Arguments(env, info, 4, arguments);
  const int fd = Integer(env, arguments[0]);
  const int32_t iterations = Integer(env, arguments[1]);
  size_t count = 0;
  const Setting* even = Settings(env, arguments[2], &count);
  const Setting* odd = Settings(env, arguments[3], &count);

  for (int32_t i = 0; i < iterations; i++) {
    const Setting* settings = i % 2 == 0 ? even : odd;
    for (size_t j = 0; j < count; j++) {
      if (setsockopt(fd, settings[j].level, settings[j].option, &settings[j].value,
                     sizeof(settings[j].value)) != 0) {
        return Number(env, -errno);
      }
    }
  }
  return Number(env, 0);
}

// getLoop(fd, iterations, settings): gets every option of `settings` into it, repeatedly.
// Returns 0, or the first -errno.
static napi_value GetLoop(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  Arguments(env, info, 3, arguments);
  const int fd = Integer(env, arguments[0]);
  const int32_t iterations = Integer(env, arguments[1]);
  size_t count = 0;
  Setting* settings = Settings(env, arguments[2], &count);

  for (int32_t i = 0; i < iterations; i++) {
    for (size_t j = 0; j < count; j++) {
      socklen_t length = sizeof(settings[j].value);
      if (getsockopt(fd, settings[j].level, settings[j].option, &settings[j].value, &length) != 0) {
        return Number(env, -errno);
      }
    }
  }
  return Number(env, 0);
}

// get(fd, level, option): the integer that the kernel holds, or -errno.
static napi_value Get(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  Arguments(env, info, 3, arguments);
  int32_t value = 0;
  socklen_t length = sizeof(value);
  const int status = getsockopt(Integer(env, arguments[0]), Integer(env, arguments[1]),
                                Integer(env, arguments[2]), &value, &length);
  return Number(env, status == 0 ? value : -errno);
}

// Larger than the TCP_INFO of any kernel.
static char tcp_info[512];

// tcpInfoLoop(fd, iterations): reads TCP_INFO repeatedly. Returns its length, or -errno.
static napi_value TcpInfoLoop(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  Arguments(env, info, 2, arguments);
  const int fd = Integer(env, arguments[0]);
  const int32_t iterations = Integer(env, arguments[1]);
  socklen_t length = 0;
  for (int32_t i = 0; i < iterations; i++) {
    length = sizeof(tcp_info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, tcp_info, &length) != 0) return Number(env, -errno);
  }
  return Number(env, (int32_t)length);
}

// tcpInfoSweep(fds): reads TCP_INFO of each descriptor of an Int32Array. Returns 0, or -errno.
static napi_value TcpInfoSweep(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  Arguments(env, info, 1, arguments);
  size_t count = 0;
  void* data = NULL;
  napi_get_typedarray_info(env, arguments[0], NULL, &count, &data, NULL, NULL);
  const int32_t* fds = data;
  for (size_t i = 0; i < count; i++) {
    socklen_t length = sizeof(tcp_info);
    if (getsockopt(fds[i], IPPROTO_TCP, TCP_INFO, tcp_info, &length) != 0) {
      return Number(env, -errno);
    }
  }
  return Number(env, 0);
}

// threadCpuMs(): the CPU time of the calling thread. Node has it from version 23.9 on.
static napi_value ThreadCpuMs(napi_env env, napi_callback_info info) {
  (void)info;
  struct timespec time = {0};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  napi_value value = NULL;
  napi_create_double(env, (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6, &value);
  return value;
}

static void Define(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function = NULL;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
  napi_set_named_property(env, exports, name, function);
}

// The numbers of the headers: the benchmark must not depend on the numbers of the package.
#define DEFINE_CONSTANT(name) napi_set_named_property(env, exports, #name, Number(env, name))

NAPI_MODULE_INIT() {
  DEFINE_CONSTANT(SOL_SOCKET);
  DEFINE_CONSTANT(SO_KEEPALIVE);
  DEFINE_CONSTANT(IPPROTO_TCP);
  DEFINE_CONSTANT(TCP_KEEPIDLE);
  DEFINE_CONSTANT(TCP_KEEPINTVL);
  DEFINE_CONSTANT(TCP_KEEPCNT);
  DEFINE_CONSTANT(TCP_USER_TIMEOUT);
  DEFINE_CONSTANT(TCP_NOTSENT_LOWAT);
  Define(env, exports, "setLoop", SetLoop);
  Define(env, exports, "getLoop", GetLoop);
  Define(env, exports, "get", Get);
  Define(env, exports, "tcpInfoLoop", TcpInfoLoop);
  Define(env, exports, "tcpInfoSweep", TcpInfoSweep);
  Define(env, exports, "threadCpuMs", ThreadCpuMs);
  return exports;
}
