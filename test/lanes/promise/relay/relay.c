// A path between two hosts with a chosen delay, loss, rate and fault for each flow. It joins two
// network namespaces by TUN devices, because netem is not in every kernel.
//
//   relay <pid of a process in the peer's namespace> <seed>
//
// It opens tun0 and tun1 in its own namespace (two links, so that one can go down) and tun0 in the
// peer's. A flow is an address of the peer, 10.x.a.b: its number is 256 a + b, and x chooses the
// link: 10.9 is tun0, 10.10 is tun1.
//
// Every fault is at the peer's end of the path: what is on its way to us when it begins still
// arrives. Commands come from stdin, one per line, and are answered with the same token and a time
// of CLOCK_MONOTONIC in nanoseconds:
//
//   <token> set <flow> <key>=<number> ...    the time when it was done
//   <token> get <flow>                       when the last segment of the peer arrived at our host;
//   0: never

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "relay.h"

enum { FLOWS = 65536, LINKS = 2, LARGEST_PACKET = 65536, FIRST_LINK = 9 };
enum fate { PASS, DROP, RESET, UNREACHABLE };

// How a flow is treated. Every member is a number that `set` can change.
struct flow {
  double delay;    // in seconds, each way
  double loss_up;  // the share of packets that are lost, 0 to 1
  double loss_down;
  double rate;       // bytes per second in each direction; 0: no limit
  double queue;      // how many bytes may wait for their turn; more are dropped
  double up;         // the fate of packets to the peer, as enum fate
  double down;       // the fate of the peer's packets: PASS or DROP
  double icmp_type;  // for UNREACHABLE
  double icmp_code;
  double nat;         // a NAT device at our end has forgotten the flow: DROP or RESET
  double drop_next;   // how many of the next packets to the peer are dropped
  double free_at[2];  // when the limited rate lets the next packet through
  int64_t arrived_at;
};

static const struct {
  const char* name;
  size_t offset;
} KEYS[] = {
    {"delay", offsetof(struct flow, delay)},
    {"loss_up", offsetof(struct flow, loss_up)},
    {"loss_down", offsetof(struct flow, loss_down)},
    {"rate", offsetof(struct flow, rate)},
    {"queue", offsetof(struct flow, queue)},
    {"up", offsetof(struct flow, up)},
    {"down", offsetof(struct flow, down)},
    {"icmp_type", offsetof(struct flow, icmp_type)},
    {"icmp_code", offsetof(struct flow, icmp_code)},
    {"nat", offsetof(struct flow, nat)},
    {"drop_next", offsetof(struct flow, drop_next)},
};

static struct flow flows[FLOWS];
static int our_links[LINKS];
static int peer_link;

void fail(const char* what) {
  perror(what);
  exit(1);
}

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static double seconds(void) {
  return (double)nanoseconds() / 1e9;
}

static int is_lost(double share) {
  return share > 0 && drand48() < share;
}

// Returns when a packet arrives at the other end; a negative time: it is dropped from the queue of
// a slow path.
static double arrival_of(struct flow* flow, enum direction direction, int length) {
  double now = seconds();
  if (flow->rate <= 0) return now + flow->delay;
  double* free_at = &flow->free_at[direction];
  if (*free_at < now) *free_at = now;
  if ((*free_at - now) * flow->rate > flow->queue) return -1;
  *free_at += length / flow->rate;
  return *free_at + flow->delay;
}

static struct flow* flow_of(const struct iphdr* ip, enum direction direction) {
  return &flows[ntohl(direction == UP ? ip->daddr : ip->saddr) & (FLOWS - 1)];
}

static int is_tcp(const unsigned char* bytes, int length) {
  const struct iphdr* ip = (const void*)bytes;
  return length >= 40 && ip->version == 4 && ip->protocol == IPPROTO_TCP;
}

static const struct tcphdr* segment_of(const struct iphdr* ip) {
  return (const void*)((const unsigned char*)ip + 4 * ip->ihl);
}

// A packet leaves one of the hosts. What happens at the peer's end to its own packets happens now.
static void depart(enum direction direction, const unsigned char* bytes, int length) {
  if (!is_tcp(bytes, length)) return;
  const struct iphdr* ip = (const void*)bytes;
  struct flow* flow = flow_of(ip, direction);
  if (flow->nat != PASS) {
    if (direction == UP && flow->nat == RESET) answer_with_reset(ip, segment_of(ip), seconds());
    return;
  }
  if (direction == DOWN && (flow->down != PASS || is_lost(flow->loss_down))) return;
  double due = arrival_of(flow, direction, length);
  if (due >= 0) send_later(direction, bytes, length, due, direction == DOWN);
}

// A packet arrives at one of the hosts. What happens at the peer's end to our packets happens now.
static void arrive(const struct packet* packet) {
  const struct iphdr* ip = (const void*)packet->bytes;
  // The relay's own ICMP messages have the peer's address as source.
  struct flow* flow = flow_of(ip, packet->direction);
  int link = peer_link;
  if (packet->direction == DOWN) {
    link = our_links[((ntohl(ip->saddr) >> 16 & 0xff) - FIRST_LINK) % LINKS];
    if (packet->is_from_peer) flow->arrived_at = nanoseconds();
  } else {
    double due = seconds() + flow->delay;
    switch ((enum fate)flow->up) {
      case DROP:
        return;
      case RESET:
        answer_with_reset(ip, segment_of(ip), due);
        return;
      case UNREACHABLE:
        answer_with_icmp(ip, flow->icmp_type, flow->icmp_code, due);
        return;
      case PASS:
        break;
    }
    if (flow->drop_next > 0) {
      flow->drop_next--;
      return;
    }
    if (is_lost(flow->loss_up)) return;
  }
  // A full queue of the host drops the packet, as a real one does.
  if (write(link, packet->bytes, packet->length) < 0) return;
}

// --- Commands ---

static void set_key(struct flow* flow, const char* name, double value) {
  for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
    if (strcmp(KEYS[i].name, name)) continue;
    *(double*)((char*)flow + KEYS[i].offset) = value;
    return;
  }
  fprintf(stderr, "relay: unknown key %s\n", name);
  exit(1);
}

static void obey(const char* line) {
  char token[32], verb[8], name[16];
  int number, length;
  double value;
  if (sscanf(line, "%31s %7s %d%n", token, verb, &number, &length) < 3) return;
  struct flow* flow = &flows[number & (FLOWS - 1)];
  int64_t answer = flow->arrived_at;
  if (!strcmp(verb, "set")) {
    for (line += length; sscanf(line, " %15[a-z_]=%lf%n", name, &value, &length) == 2;) {
      set_key(flow, name, value);
      line += length;
    }
    answer = nanoseconds();
  }
  printf("%s %lld\n", token, (long long)answer);
}

static void read_commands(void) {
  static char text[1 << 20];
  static size_t filled;
  ssize_t count = read(STDIN_FILENO, text + filled, sizeof text - filled - 1);
  if (count <= 0) exit(0);  // our program has ended
  filled += count;
  text[filled] = 0;
  char *line = text, *end;
  for (; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    obey(line);
  }
  filled -= line - text;
  memmove(text, line, filled);
  fflush(stdout);
}

static int open_tun(const char* name) {
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request)) fail("/dev/net/tun");
  return fd;
}

static void enter_namespace_of(const char* pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET)) fail(path);
  close(fd);
}

static void read_packets(int fd, enum direction direction) {
  enum { AT_A_TIME = 256 };  // then the packets that are due get their turn
  static unsigned char bytes[LARGEST_PACKET];
  for (int i = 0; i < AT_A_TIME; i++) {
    ssize_t length = read(fd, bytes, sizeof bytes);
    if (length <= 0) return;
    depart(direction, bytes, length);
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: relay <pid> <seed>\n");
    return 2;
  }
  srand48(atol(argv[2]));
  our_links[0] = open_tun("tun0");
  our_links[1] = open_tun("tun1");
  enter_namespace_of(argv[1]);
  peer_link = open_tun("tun0");
  printf("ready\n");
  fflush(stdout);
  struct pollfd sources[] = {{our_links[0], POLLIN, 0},
                             {our_links[1], POLLIN, 0},
                             {peer_link, POLLIN, 0},
                             {STDIN_FILENO, POLLIN, 0}};
  for (;;) {
    double due = next_due();
    double wait = due >= 0 ? due - seconds() : 1;
    if (wait < 0) wait = 0;
    struct timespec limit = {(time_t)wait, (long)((wait - (time_t)wait) * 1e9)};
    ppoll(sources, 4, &limit, NULL);
    while (next_due() >= 0 && next_due() <= seconds()) {
      struct packet packet = take_earliest();
      arrive(&packet);
      free(packet.bytes);
    }
    if (sources[0].revents) read_packets(our_links[0], UP);
    if (sources[1].revents) read_packets(our_links[1], UP);
    if (sources[2].revents) read_packets(peer_link, DOWN);
    if (sources[3].revents) read_commands();
  }
}
