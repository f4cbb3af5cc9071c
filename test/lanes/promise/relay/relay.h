// What the parts of the relay share.

#ifndef RELAY_H
#define RELAY_H

#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>

enum direction { UP, DOWN };

// A packet on its way.
struct packet {
  double due;
  uint64_t order;
  enum direction direction;
  int is_from_peer;  // and not from the relay itself
  int length;
  unsigned char* bytes;
};

// Ends the relay, with the reason of errno.
void fail(const char* what);

// Keeps a copy of the packet until it is due.
void send_later(enum direction direction, const void* bytes, int length, double due,
                int is_from_peer);
// When the next packet is due; a negative time: there is none.
double next_due(void);
// The caller frees the bytes.
struct packet take_earliest(void);

// Answers a segment with the reset of a host that does not know the connection: RFC 9293,
// section 3.10.7.1.
void answer_with_reset(const struct iphdr* cause, const struct tcphdr* segment, double due);
// Answers a segment with an ICMP message.
void answer_with_icmp(const struct iphdr* cause, int type, int code, double due);

#endif
