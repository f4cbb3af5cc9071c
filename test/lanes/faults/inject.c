/*
 * Makes system calls fail, for test:faults (docs/decisions/0016-lanes-with-planted-faults.md).
 * LD_PRELOAD loads it before the C library, and the lane loads the same object as an addon to
 * control it. Between record() or inject() and end() it logs the calls of the addon under test
 * (found by return address), and the calls of Node's fs that read /proc in the controlling thread.
 * All other calls pass, so Node itself is not disturbed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <node_api.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum Call {
  kSetsockopt,
  kGetsockopt,
  kSocket,
  kBind,
  kConnect,
  kSendto,
  kRecvfrom,
  kRecv,
  kSocketpair,
  kShutdown,
  kPoll,
  kEventfd,
  kWrite,
  kThread,
  kMalloc,
  kOpen,
  kRead,
  kClose,
  kIoctl,
  kFcntl,
  kGetsockname,
  kGetpeername,
  kReadlink,
  kScandir,
  kOpendir,
  kReaddir,
  kFstat,
  kCalls
};
static const char* const kNames[kCalls] = {
    "setsockopt",  "getsockopt", "socket",   "bind",    "connect", "sendto", "recvfrom",
    "recv",        "socketpair", "shutdown", "poll",    "eventfd", "write",  "pthread_create",
    "malloc",      "open",       "read",     "close",   "ioctl",   "fcntl",  "getsockname",
    "getpeername", "readlink",   "scandir",  "opendir", "readdir", "fstat",
};

/* What a call does in place of its work; beside these, a positive errno. */
enum Fault {
  kNone = 0,
  kEmpty = -1,   /* succeeds, and has written nothing */
  kShort = -2,   /* succeeds with less than there is: half an option, a broken message */
  kForeign = -3, /* recvfrom: the message of another sender */
  kIdle = -4,    /* poll: returns, and nothing has happened */
  kPollErr = -5, /* poll: an error on the first descriptor */
  kPollNval = -6 /* poll: the first descriptor is closed */
};

/* From this size on, memory is a table; what is smaller, operator new takes (see run.mjs). */
enum { kTable = 64 * 1024, kLog = 8192, kOpened = 32 };

struct Entry {
  enum Call call;
  int fault;
  long first;
  long second;
  char text[56];
};

static struct Entry entries[kLog];
static atomic_uint logged;
static atomic_uint seen[kCalls];
static atomic_bool armed;
static pid_t thread;
static int target = kCalls;
static unsigned from;
static unsigned until;
static int planned;
/* Descriptors that Node's fs has opened below /proc since the arming. */
static int opened[kOpened];
static unsigned opens;

static void* Real(const char* name) {
  void* function = dlsym(RTLD_NEXT, name);
  if (function == NULL) {
    fprintf(stderr, "test/lanes/faults/inject.c: there is no %s\n", name);
    _exit(70);
  }
  return function;
}
#define REAL(name)               \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))Real(#name)

static bool IsAddon(const void* caller) {
  Dl_info info;
  if (dladdr(caller, &info) == 0 || info.dli_fname == NULL) return false;
  const char* slash = strrchr(info.dli_fname, '/');
  const char* file = slash == NULL ? info.dli_fname : slash + 1;
  return strcmp(file, "socket_options.node") == 0 || strcmp(file, "socket-options.node") == 0;
}

static bool IsOurThread(void) {
  return (pid_t)syscall(SYS_gettid) == thread;
}

static int Log(enum Call call, long first, long second, const char* text) {
  const unsigned occurrence = atomic_fetch_add(&seen[call], 1) + 1;
  const bool hit = (int)call == target && occurrence >= from && occurrence < until;
  const unsigned place = atomic_fetch_add(&logged, 1);
  if (place < kLog) {
    struct Entry* entry = &entries[place];
    *entry = (struct Entry){call, hit ? planned : kNone, first, second, ""};
    if (text != NULL) snprintf(entry->text, sizeof(entry->text), "%s", text);
  }
  return hit ? planned : kNone;
}

/* What a call of the addon is to do. */
static int OfAddon(const void* caller, enum Call call, long first, long second, const char* text) {
  if (!atomic_load_explicit(&armed, memory_order_relaxed)) return kNone;
  const int error = errno;
  const int fault = IsAddon(caller) ? Log(call, first, second, text) : kNone;
  errno = error;
  return fault;
}
#define ADDON(call, first, second, text) \
  OfAddon(__builtin_return_address(0), call, (long)(first), (long)(second), text)

/* The same of a call that Node's fs may have made, with a path below /proc. */
static int OfPath(const void* caller, enum Call call, const char* path) {
  if (!atomic_load_explicit(&armed, memory_order_relaxed) || path == NULL) return kNone;
  const int error = errno;
  const bool ours = IsAddon(caller) || (IsOurThread() && strncmp(path, "/proc", 5) == 0);
  const int fault = ours ? Log(call, 0, 0, path) : kNone;
  errno = error;
  return fault;
}
#define PATH(call, path) OfPath(__builtin_return_address(0), call, path)

static bool IsOpened(int fd) {
  for (unsigned i = 0; i < opens && i < kOpened; i++) {
    if (opened[i] == fd) return true;
  }
  return false;
}

/* The same of a call on a descriptor that was opened so. */
static int OfOpened(const void* caller, enum Call call, int fd) {
  if (!atomic_load_explicit(&armed, memory_order_relaxed)) return kNone;
  const int error = errno;
  const bool ours = IsAddon(caller) || (IsOurThread() && IsOpened(fd));
  const int fault = ours ? Log(call, fd, 0, NULL) : kNone;
  errno = error;
  return fault;
}
#define OPENED(call, fd) OfOpened(__builtin_return_address(0), call, fd)

static int Fail(int fault) {
  errno = fault;
  return -1;
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t length) {
  REAL(setsockopt);
  const int fault = ADDON(kSetsockopt, level, name, NULL);
  return fault > 0 ? Fail(fault) : real(fd, level, name, value, length);
}

int getsockopt(int fd, int level, int name, void* value, socklen_t* length) {
  REAL(getsockopt);
  const int fault = ADDON(kGetsockopt, level, name, NULL);
  if (fault > 0) return Fail(fault);
  if (fault == kEmpty) {
    *length = 0;
    return 0;
  }
  if (fault != kShort) return real(fd, level, name, value, length);
  char whole[4096];
  socklen_t size = *length < sizeof(whole) ? *length : sizeof(whole);
  if (real(fd, level, name, whole, &size) != 0) return -1;
  /* Whole words, as a kernel whose structure is shorter. */
  *length = size / 2 & ~3u;
  memcpy(value, whole, *length);
  return 0;
}

int socket(int domain, int type, int protocol) {
  REAL(socket);
  const int fault = ADDON(kSocket, domain, type, NULL);
  return fault > 0 ? Fail(fault) : real(domain, type, protocol);
}

int bind(int fd, const struct sockaddr* address, socklen_t length) {
  REAL(bind);
  const int fault = ADDON(kBind, fd, 0, NULL);
  return fault > 0 ? Fail(fault) : real(fd, address, length);
}

int connect(int fd, const struct sockaddr* address, socklen_t length) {
  REAL(connect);
  const int fault = ADDON(kConnect, fd, 0, NULL);
  return fault > 0 ? Fail(fault) : real(fd, address, length);
}

ssize_t sendto(int fd, const void* bytes, size_t length, int flags, const struct sockaddr* to,
               socklen_t size) {
  REAL(sendto);
  const int fault = ADDON(kSendto, fd, 0, NULL);
  return fault > 0 ? Fail(fault) : real(fd, bytes, length, flags, to, size);
}

/* On which descriptor a message that was forged waits to be removed. */
static int forged = -1;

/* A message of another process: that the kernel refuses, which it did not say. */
static ssize_t Forge(void* bytes, struct sockaddr* sender, socklen_t* size) {
  struct {
    struct nlmsghdr head;
    struct nlmsgerr refusal;
  } message = {{sizeof(message), NLMSG_ERROR, 0, 0, 0}, {.error = -EPERM}};
  memcpy(bytes, &message, sizeof(message));
  struct sockaddr_nl* from_ = (struct sockaddr_nl*)sender;
  *from_ = (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_pid = 4242};
  *size = sizeof(*from_);
  return sizeof(message);
}

ssize_t recvfrom(int fd, void* bytes, size_t room, int flags, struct sockaddr* sender,
                 socklen_t* size) {
  REAL(recvfrom);
  const int fault = ADDON(kRecvfrom, fd, 0, NULL);
  if (fault > 0) return Fail(fault);
  if (fault == kEmpty) return 0;
  if (fault == kForeign) {
    forged = fd;
    return Forge(bytes, sender, size);
  }
  const ssize_t length = real(fd, bytes, room, flags, sender, size);
  return fault == kShort && length > 8 ? length - 8 : length;
}

ssize_t recv(int fd, void* bytes, size_t room, int flags) {
  REAL(recv);
  const int fault = ADDON(kRecv, fd, room, NULL);
  if (forged == fd) {
    forged = -1;
    return 0;
  }
  return fault > 0 ? Fail(fault) : real(fd, bytes, room, flags);
}

int socketpair(int domain, int type, int protocol, int ends[2]) {
  REAL(socketpair);
  const int fault = ADDON(kSocketpair, domain, type, NULL);
  return fault > 0 ? Fail(fault) : real(domain, type, protocol, ends);
}

int shutdown(int fd, int how) {
  REAL(shutdown);
  const int fault = ADDON(kShutdown, fd, how, NULL);
  return fault > 0 ? Fail(fault) : real(fd, how);
}

int poll(struct pollfd* descriptors, nfds_t count, int timeout) {
  REAL(poll);
  const int fault = ADDON(kPoll, count, timeout, NULL);
  if (fault > 0) return Fail(fault);
  if (fault == kNone) return real(descriptors, count, timeout);
  for (nfds_t i = 0; i < count; i++) descriptors[i].revents = 0;
  if (fault == kIdle) return 0;
  descriptors[0].revents = fault == kPollErr ? POLLERR : POLLNVAL;
  return 1;
}

int eventfd(unsigned int initial, int flags) {
  static int (*real)(unsigned int, int);
  if (real == NULL) real = (int (*)(unsigned int, int))Real("eventfd");
  const int fault = ADDON(kEventfd, flags, 0, NULL);
  return fault > 0 ? Fail(fault) : real(initial, flags);
}

ssize_t write(int fd, const void* bytes, size_t length) {
  REAL(write);
  const int fault = ADDON(kWrite, fd, length, NULL);
  return fault > 0 ? Fail(fault) : real(fd, bytes, length);
}

int pthread_create(pthread_t* created, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
  REAL(pthread_create);
  const int fault = ADDON(kThread, 0, 0, NULL);
  return fault > 0 ? fault : real(created, attributes, start, argument);
}

/* dlsym(3) itself takes memory. */
extern void* __libc_malloc(size_t size);
void* malloc(size_t size) {
  if (size >= kTable && ADDON(kMalloc, size, 0, NULL) > 0) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_malloc(size);
}

static int Opened(int fd) {
  if (fd >= 0 && atomic_load(&armed) && IsOurThread()) opened[opens++ % kOpened] = fd;
  return fd;
}

#define OPEN(name)                                           \
  int name(const char* path, int flags, ...) {               \
    REAL(name);                                              \
    va_list rest;                                            \
    va_start(rest, flags);                                   \
    const int mode = va_arg(rest, int);                      \
    va_end(rest);                                            \
    const int fault = PATH(kOpen, path);                     \
    if (fault > 0) return Fail(fault);                       \
    const int fd = real(path, flags, mode);                  \
    return strncmp(path, "/proc", 5) == 0 ? Opened(fd) : fd; \
  }
OPEN(open)
OPEN(open64)

ssize_t read(int fd, void* bytes, size_t room) {
  REAL(read);
  const int fault = OPENED(kRead, fd);
  if (fault > 0) return Fail(fault);
  if (fault == kEmpty) return 0;
  return real(fd, bytes, room);
}

ssize_t pread64(int fd, void* bytes, size_t room, off64_t at) {
  REAL(pread64);
  const int fault = OPENED(kRead, fd);
  if (fault > 0) return Fail(fault);
  if (fault == kEmpty) return 0;
  return real(fd, bytes, room, at);
}

/* Closes all the same, as Linux does, whatever it answers. */
int close(int fd) {
  REAL(close);
  const int fault = OPENED(kClose, fd);
  if (IsOpened(fd) && IsOurThread()) {
    for (unsigned i = 0; i < kOpened; i++) {
      if (opened[i] == fd) opened[i] = -1;
    }
  }
  const int status = real(fd);
  return fault > 0 ? Fail(fault) : status;
}

int ioctl(int fd, unsigned long request, ...) {
  REAL(ioctl);
  va_list rest;
  va_start(rest, request);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  const int fault = ADDON(kIoctl, request, 0, NULL);
  return fault > 0 ? Fail(fault) : real(fd, request, argument);
}

#define FCNTL(name)                                               \
  int name(int fd, int command, ...) {                            \
    REAL(name);                                                   \
    va_list rest;                                                 \
    va_start(rest, command);                                      \
    void* argument = va_arg(rest, void*);                         \
    va_end(rest);                                                 \
    const int fault = ADDON(kFcntl, command, 0, NULL);            \
    return fault > 0 ? Fail(fault) : real(fd, command, argument); \
  }
FCNTL(fcntl)
FCNTL(fcntl64)

int getsockname(int fd, struct sockaddr* address, socklen_t* length) {
  REAL(getsockname);
  const int fault = ADDON(kGetsockname, fd, 0, NULL);
  return fault > 0 ? Fail(fault) : real(fd, address, length);
}

int getpeername(int fd, struct sockaddr* address, socklen_t* length) {
  REAL(getpeername);
  const int fault = ADDON(kGetpeername, fd, 0, NULL);
  return fault > 0 ? Fail(fault) : real(fd, address, length);
}

ssize_t readlink(const char* path, char* bytes, size_t room) {
  REAL(readlink);
  const int fault = PATH(kReadlink, path);
  return fault > 0 ? Fail(fault) : real(path, bytes, room);
}

/* In place of opendir(3) and readdir(3), which it calls within the C library. */
int scandir64(const char* path, struct dirent64*** list, int (*filter)(const struct dirent64*),
              int (*compare)(const struct dirent64**, const struct dirent64**)) {
  REAL(scandir64);
  const int fault = PATH(kScandir, path);
  return fault > 0 ? Fail(fault) : real(path, list, filter, compare);
}

/* Directories that Node's fs has opened below /proc since the arming. */
static DIR* directories[kOpened];
static unsigned directory;

DIR* opendir(const char* path) {
  REAL(opendir);
  const int fault = PATH(kOpendir, path);
  if (fault > 0) {
    errno = fault;
    return NULL;
  }
  DIR* dir = real(path);
  if (dir != NULL && atomic_load(&armed) && IsOurThread() && strncmp(path, "/proc", 5) == 0) {
    directories[directory++ % kOpened] = dir;
  }
  return dir;
}

struct dirent64* readdir64(DIR* dir) {
  REAL(readdir64);
  bool ours = false;
  for (unsigned i = 0; i < kOpened; i++) ours = ours || directories[i] == dir;
  if (!ours || !atomic_load(&armed) || !IsOurThread()) return real(dir);
  const int fault = Log(kReaddir, 0, 0, NULL);
  if (fault <= 0) return real(dir);
  errno = fault;
  return NULL;
}

int closedir(DIR* dir) {
  REAL(closedir);
  for (unsigned i = 0; i < kOpened; i++) {
    if (directories[i] == dir) directories[i] = NULL;
  }
  return real(dir);
}

/* fstat(2), which libuv makes in one of these ways. */
static int OfFstat(int fd) {
  if (!atomic_load_explicit(&armed, memory_order_relaxed) || !IsOurThread()) return kNone;
  /* Node asks what the standard streams are, and how long a file is that it has just opened. */
  if (fd <= 2 || IsOpened(fd)) return kNone;
  return Log(kFstat, fd, 0, NULL);
}

int __fxstat64(int version, int fd, struct stat64* status) {
  static int (*real)(int, int, struct stat64*);
  if (real == NULL) real = (int (*)(int, int, struct stat64*))Real("__fxstat64");
  const int fault = OfFstat(fd);
  return fault > 0 ? Fail(fault) : real(version, fd, status);
}

int fstat64(int fd, struct stat64* status) {
  REAL(fstat64);
  const int fault = OfFstat(fd);
  return fault > 0 ? Fail(fault) : real(fd, status);
}

int statx(int fd, const char* path, int flags, unsigned int mask, struct statx* status) {
  REAL(statx);
  const int fault = path[0] == '\0' ? OfFstat(fd) : kNone;
  return fault > 0 ? Fail(fault) : real(fd, path, flags, mask, status);
}

long syscall(long number, ...) {
  REAL(syscall);
  va_list rest;
  va_start(rest, number);
  long a[6];
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_statx && a[1] != 0 && *(const char*)a[1] == '\0') {
    const int fault = OfFstat((int)a[0]);
    if (fault > 0) return Fail(fault);
  }
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* The lane's side. */

static int64_t Number(napi_env env, napi_value value) {
  int64_t number = 0;
  napi_get_value_int64(env, value, &number);
  return number;
}

static void Put(napi_env env, napi_value object, const char* name, int64_t number) {
  napi_value value;
  napi_create_int64(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

/* inject(call, first, count, fault): the calls of this name from the first on, `count` of them.
 * With a count of 0 it only records. */
static napi_value Inject(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value values[4];
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  atomic_store(&armed, false);
  for (int i = 0; i < kCalls; i++) atomic_store(&seen[i], 0);
  atomic_store(&logged, 0);
  for (int i = 0; i < kOpened; i++) opened[i] = -1;
  opens = 0;
  forged = -1;
  target = (int)Number(env, values[0]);
  from = (unsigned)Number(env, values[1]);
  until = from + (unsigned)Number(env, values[2]);
  planned = (int)Number(env, values[3]);
  thread = (pid_t)syscall(SYS_gettid);
  atomic_store(&armed, true);
  return NULL;
}

/* end(): { calls: [{ call, fault, first, second, text }], lost }, from then on nothing fails. */
static napi_value End(napi_env env, napi_callback_info info) {
  (void)info;
  atomic_store(&armed, false);
  const unsigned all = atomic_load(&logged);
  const unsigned kept = all < kLog ? all : kLog;
  napi_value report;
  napi_value calls;
  napi_create_object(env, &report);
  napi_create_array_with_length(env, kept, &calls);
  for (unsigned i = 0; i < kept; i++) {
    napi_value entry;
    napi_value text;
    napi_create_object(env, &entry);
    Put(env, entry, "call", entries[i].call);
    Put(env, entry, "fault", entries[i].fault);
    Put(env, entry, "first", entries[i].first);
    Put(env, entry, "second", entries[i].second);
    napi_create_string_utf8(env, entries[i].text, NAPI_AUTO_LENGTH, &text);
    napi_set_named_property(env, entry, "text", text);
    napi_set_element(env, calls, i, entry);
  }
  napi_set_named_property(env, report, "calls", calls);
  Put(env, report, "lost", all - kept);
  return report;
}

/* hits(): how many calls were made to fail so far. */
static napi_value Hits(napi_env env, napi_callback_info info) {
  (void)info;
  const unsigned calls = target < kCalls ? atomic_load(&seen[target]) : 0;
  const unsigned last = calls + 1 < until ? calls + 1 : until;
  napi_value value;
  napi_create_uint32(env, last > from ? last - from : 0, &value);
  return value;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"inject", NULL, Inject, NULL, NULL, NULL, napi_enumerable, NULL},
      {"end", NULL, End, NULL, NULL, NULL, napi_enumerable, NULL},
      {"hits", NULL, Hits, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions);
  napi_value names;
  napi_create_array(env, &names);
  for (uint32_t i = 0; i < kCalls; i++) {
    napi_value name;
    napi_create_string_utf8(env, kNames[i], NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, names, i, name);
  }
  napi_set_named_property(env, exports, "names", names);
  return exports;
}
