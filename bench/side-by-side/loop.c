// The three operations of bench/side-by-side.mjs in C: system calls in a loop, in a process with
// one thread.
//
// Reads lines "set 1000", "get 1000" or "tcpInfo 1000" from standard input. Answers each with the
// nanoseconds of CPU time that so many operations took, and with the sum of all values that were
// read.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  int level;
  int option;
  int values[2];
} Setting;

static const Setting settings[4] = {
    {IPPROTO_TCP, TCP_KEEPIDLE, {60, 61}},
    {IPPROTO_TCP, TCP_KEEPINTVL, {10, 11}},
    {IPPROTO_TCP, TCP_KEEPCNT, {5, 6}},
    {SOL_SOCKET, SO_KEEPALIVE, {1, 1}},
};

static void Check(int status, const char* call) {
  if (status >= 0) return;
  perror(call);
  exit(1);
}

static int Connect(void) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof(address);
  Check(bind(listener, (struct sockaddr*)&address, length), "bind");
  Check(listen(listener, 1), "listen");
  Check(getsockname(listener, (struct sockaddr*)&address, &length), "getsockname");
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  Check(connect(fd, (struct sockaddr*)&address, length), "connect");
  return fd;
}

static void Set(int fd, long count) {
  for (long i = 0; i < count; i++) {
    for (int j = 0; j < 4; j++) {
      const int value = settings[j].values[i & 1];
      Check(setsockopt(fd, settings[j].level, settings[j].option, &value, sizeof(value)),
            "setsockopt");
    }
  }
}

static long Get(int fd, long count) {
  long sum = 0;
  for (long i = 0; i < count; i++) {
    for (int j = 0; j < 4; j++) {
      int value = 0;
      socklen_t length = sizeof(value);
      Check(getsockopt(fd, settings[j].level, settings[j].option, &value, &length), "getsockopt");
      sum += value;
    }
  }
  return sum;
}

static long TcpInfo(int fd, long count) {
  long sum = 0;
  for (long i = 0; i < count; i++) {
    // Larger than the TCP_INFO of any kernel.
    union {
      struct tcp_info fields;
      char bytes[512];
    } info;
    socklen_t length = sizeof(info);
    Check(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), "getsockopt");
    sum += info.fields.tcpi_rtt + info.fields.tcpi_probes + info.fields.tcpi_unacked;
  }
  return sum;
}

static long CpuTime(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(void) {
  const int fd = Connect();
  char name[16];
  long count = 0;
  while (scanf("%15s %ld", name, &count) == 2) {
    long sum = 0;
    const long start = CpuTime();
    if (strcmp(name, "set") == 0) Set(fd, count);
    if (strcmp(name, "get") == 0) sum = Get(fd, count);
    if (strcmp(name, "tcpInfo") == 0) sum = TcpInfo(fd, count);
    printf("%ld %ld\n", CpuTime() - start, sum);
    fflush(stdout);
  }
  return 0;
}
