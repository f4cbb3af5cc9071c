/* What Debian's libstdc++, which was compiled for glibc, takes of glibc that musl 1.2.3 does not
 * have. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* The process has threads: nothing is to be left out for one that has none. */
char __libc_single_threaded = 0;

/* "Not found": then libgcc looks for itself. */
int _dl_find_object(void* address, void* result) {
  (void)address;
  (void)result;
  return -1;
}

uint32_t arc4random(void) {
  uint32_t number;
  if (getentropy(&number, sizeof(number)) != 0) abort();
  return number;
}
