/*
 * The reference addon of the tests: bare system calls in C, independent of the package. It reads
 * what the kernel holds, whatever the code under test reports.
 */
#ifdef __linux__
/* For setns(). */
#define _GNU_SOURCE
#include <sched.h>
#endif
#ifdef _WIN32
#include <winsock2.h>
/* After winsock2.h, which must be first. */
#include <node_api.h>
#include <ws2tcpip.h>

static int Error(void) {
  return -WSAGetLastError();
}
#else
#include <errno.h>
#include <netinet/in.h>
#include <node_api.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int Error(void) {
  return -errno;
}
#endif
#include <stdint.h>

static int32_t Argument(napi_env env, napi_callback_info info, size_t count, napi_value* values,
                        size_t index) {
  size_t length = count;
  int32_t number = 0;
  napi_get_cb_info(env, info, &length, values, NULL, NULL);
  napi_get_value_int32(env, values[index], &number);
  return number;
}

static napi_value Int(napi_env env, int32_t number) {
  napi_value value;
  napi_create_int32(env, number, &value);
  return value;
}

/* socket(domain, type, protocol): the descriptor, or -errno; on Windows the SOCKET, or -WSAE*. */
static napi_value Socket(napi_env env, napi_callback_info info) {
  napi_value values[3];
  const int domain = Argument(env, info, 3, values, 0);
  const int type = Argument(env, info, 3, values, 1);
  const int fd = (int)socket(domain, type, Argument(env, info, 3, values, 2));
  return Int(env, fd < 0 ? Error() : fd);
}

/* listen(fd): 0, or -errno; the kernel chooses a free port. */
static napi_value Listen(napi_env env, napi_callback_info info) {
  napi_value values[1];
  const int fd = Argument(env, info, 1, values, 0);
  return Int(env, listen(fd, 8) == 0 ? 0 : Error());
}

static napi_value Close(napi_env env, napi_callback_info info) {
  napi_value values[1];
  const int fd = Argument(env, info, 1, values, 0);
#ifdef _WIN32
  return Int(env, closesocket((SOCKET)fd) == 0 ? 0 : Error());
#else
  return Int(env, close(fd) == 0 ? 0 : Error());
#endif
}

#ifdef _WIN32
/* Handles are multiples of 4. */
enum { kLastHandle = 0x4000 };

/* The port of one end of a TCP socket over IPv4 or IPv6; 0 without one; -1 if it is no socket. */
static int Port(SOCKET socket, int (*WSAAPI name)(SOCKET, struct sockaddr*, int*)) {
  struct sockaddr_in6 address = {0};
  int length = sizeof(address);
  if (name(socket, (struct sockaddr*)&address, &length) != 0) {
    return WSAGetLastError() == WSAENOTCONN ? 0 : -1;
  }
  /* At the same offset in both. */
  return ntohs(address.sin6_port);
}

/* find(localPort, remotePort): the one SOCKET with these ports; -1 for several or none. */
static napi_value Find(napi_env env, napi_callback_info info) {
  napi_value values[2];
  const int local = Argument(env, info, 2, values, 0);
  const int remote = Argument(env, info, 2, values, 1);
  int found = 0;
  for (int handle = 4; handle < kLastHandle; handle += 4) {
    if (Port((SOCKET)handle, getsockname) != local) continue;
    if (Port((SOCKET)handle, getpeername) != remote) continue;
    found = found == 0 ? handle : -1;
  }
  return Int(env, found == 0 ? -1 : found);
}

/* count(): how many SOCKETs this process has. */
static napi_value Count(napi_env env, napi_callback_info info) {
  int count = 0;
  (void)info;
  for (int handle = 4; handle < kLastHandle; handle += 4) {
    int type;
    int length = sizeof(type);
    if (getsockopt((SOCKET)handle, SOL_SOCKET, SO_TYPE, (char*)&type, &length) == 0) count++;
  }
  return Int(env, count);
}
#else
/* dup(fd): another descriptor of the same socket, or -errno; Node does not close it. */
static napi_value Dup(napi_env env, napi_callback_info info) {
  napi_value values[1];
  const int fd = dup(Argument(env, info, 1, values, 0));
  return Int(env, fd < 0 ? Error() : fd);
}
#endif

#ifdef __linux__
/* take(pid, fd): a descriptor of the socket that another process holds as `fd`, or -errno. */
static napi_value Take(napi_env env, napi_callback_info info) {
  napi_value values[2];
  const int pid = Argument(env, info, 2, values, 0);
  const int theirs = Argument(env, info, 2, values, 1);
  const int process = (int)syscall(SYS_pidfd_open, pid, 0);
  if (process < 0) return Int(env, Error());
  const int fd = (int)syscall(SYS_pidfd_getfd, process, theirs, 0);
  const int status = fd < 0 ? Error() : fd;
  close(process);
  return Int(env, status);
}

/* enter(fd): 0, or -errno; this thread opens its next sockets in the network namespace of `fd`. */
static napi_value Enter(napi_env env, napi_callback_info info) {
  napi_value values[1];
  const int fd = Argument(env, info, 1, values, 0);
  return Int(env, setns(fd, CLONE_NEWNET) == 0 ? 0 : Error());
}
#endif

/* get(fd, level, name, buffer): the length that the kernel wrote into the buffer, or -errno. */
static napi_value Get(napi_env env, napi_callback_info info) {
  napi_value values[4];
  void* data;
  size_t size;
  const int fd = Argument(env, info, 4, values, 0);
  const int level = Argument(env, info, 4, values, 1);
  const int name = Argument(env, info, 4, values, 2);
  napi_get_buffer_info(env, values[3], &data, &size);
  socklen_t length = (socklen_t)size;
  return Int(env, getsockopt(fd, level, name, data, &length) == 0 ? (int32_t)length : Error());
}

/* set(fd, level, name, buffer): 0, or -errno. */
static napi_value Set(napi_env env, napi_callback_info info) {
  napi_value values[4];
  void* data;
  size_t size;
  const int fd = Argument(env, info, 4, values, 0);
  const int level = Argument(env, info, 4, values, 1);
  const int name = Argument(env, info, 4, values, 2);
  napi_get_buffer_info(env, values[3], &data, &size);
  return Int(env, setsockopt(fd, level, name, data, (socklen_t)size) == 0 ? 0 : Error());
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"socket", NULL, Socket, NULL, NULL, NULL, napi_enumerable, NULL},
      {"listen", NULL, Listen, NULL, NULL, NULL, napi_enumerable, NULL},
      {"close", NULL, Close, NULL, NULL, NULL, napi_enumerable, NULL},
#ifdef _WIN32
      {"find", NULL, Find, NULL, NULL, NULL, napi_enumerable, NULL},
      {"count", NULL, Count, NULL, NULL, NULL, napi_enumerable, NULL},
#else
      {"dup", NULL, Dup, NULL, NULL, NULL, napi_enumerable, NULL},
#endif
#ifdef __linux__
      {"take", NULL, Take, NULL, NULL, NULL, napi_enumerable, NULL},
      {"enter", NULL, Enter, NULL, NULL, NULL, napi_enumerable, NULL},
#endif
      {"get", NULL, Get, NULL, NULL, NULL, napi_enumerable, NULL},
      {"set", NULL, Set, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions);
  return exports;
}
