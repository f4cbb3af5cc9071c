// In the place of the C library's header, which headers of the kernel include or expect: its names
// must not pass for the kernel's.

#ifndef NO_LIBC_SYS_SOCKET_H_
#define NO_LIBC_SYS_SOCKET_H_

#include <linux/socket.h>
#include <stdint.h>

#define sockaddr_storage __kernel_sockaddr_storage

typedef unsigned short sa_family_t;

struct sockaddr {
  sa_family_t sa_family;
  char sa_data[14];
};

enum { MSG_FIN = 0x200 };

#endif  // NO_LIBC_SYS_SOCKET_H_
