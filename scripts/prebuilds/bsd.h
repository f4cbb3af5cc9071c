// The functions of the C library that the addon takes on macOS and FreeBSD, and what libc++'s
// headers name. darwin.h and freebsd.h include it.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define RTLD_DEFAULT ((void*)-2)
#define errno (*__error())

extern "C" {

typedef long ssize_t;
typedef unsigned int u_int;
typedef uint32_t socklen_t;
typedef unsigned int nfds_t;
typedef long time_t;

struct sockaddr;

struct pollfd {
  int fd;
  short events;
  short revents;
};

int* __error();

int close(int descriptor);
int fcntl(int descriptor, int command, ...);
int getpeername(int socket, sockaddr* address, socklen_t* length);
int getsockname(int socket, sockaddr* address, socklen_t* length);
int getsockopt(int socket, int level, int option, void* value, socklen_t* length);
int ioctl(int descriptor, unsigned long request, ...);
int poll(pollfd* descriptors, nfds_t count, int timeout);
int setsockopt(int socket, int level, int option, const void* value, socklen_t length);
int socket(int family, int type, int protocol);
int sysctlnametomib(const char* name, int* numbers, size_t* depth);
void* dlsym(void* handle, const char* name);

[[noreturn]] void abort();
void* calloc(size_t count, size_t size);
void free(void* memory);
void* malloc(size_t size);
int snprintf(char* text, size_t room, const char* format, ...);
int vsnprintf(char* text, size_t room, const char* format, va_list values);

void* memchr(const void* bytes, int value, size_t length);
int memcmp(const void* left, const void* right, size_t length);
void* memcpy(void* to, const void* from, size_t length);
void* memmove(void* to, const void* from, size_t length);
void* memset(void* bytes, int value, size_t length);
char* strchr(const char* text, int character);
int strcmp(const char* left, const char* right);
size_t strlen(const char* text);
size_t strnlen(const char* text, size_t room);

// Only named by libc++'s headers.
typedef struct {
  char state[128];
} mbstate_t;
typedef int wint_t;
typedef struct {
  long quot, rem;
} ldiv_t;
typedef struct {
  long long quot, rem;
} lldiv_t;
wchar_t* wcschr(const wchar_t*, wchar_t);
wchar_t* wcspbrk(const wchar_t*, const wchar_t*);
wchar_t* wcsrchr(const wchar_t*, wchar_t);
wchar_t* wcsstr(const wchar_t*, const wchar_t*);
wchar_t* wmemchr(const wchar_t*, wchar_t, size_t);
int remove(const char*);
ldiv_t ldiv(long, long);
lldiv_t lldiv(long long, long long);

}  // extern "C"

#define EOF (-1)
#define WEOF (-1)
#define FP_INFINITE 1
#define FP_NAN 2
#define FP_NORMAL 4
#define FP_SUBNORMAL 8
#define FP_ZERO 16
