// Answers that the relay makes itself: resets and ICMP messages.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "relay.h"

enum { MTU_OF_ICMP = 1280 };

static uint32_t sum_of(const void* bytes, int length, uint32_t sum) {
  const unsigned char* byte = bytes;
  for (int i = 0; i < length; i++) sum += i % 2 ? byte[i] : (uint32_t)byte[i] << 8;
  return sum;
}

static uint16_t checksum(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return htons((uint16_t)~sum);
}

static struct iphdr header_for(const struct iphdr* cause, int protocol, int length) {
  struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = protocol};
  ip.tot_len = htons(length);
  ip.saddr = cause->daddr;
  ip.daddr = cause->saddr;
  ip.check = checksum(sum_of(&ip, sizeof ip, 0));
  return ip;
}

void answer_with_reset(const struct iphdr* cause, const struct tcphdr* segment, double due) {
  if (segment->rst) return;
  struct {
    struct iphdr ip;
    struct tcphdr tcp;
  } reset = {.ip = header_for(cause, IPPROTO_TCP, sizeof reset)};
  reset.tcp.source = segment->dest;
  reset.tcp.dest = segment->source;
  reset.tcp.doff = 5;
  reset.tcp.rst = 1;
  if (segment->ack) {
    reset.tcp.seq = segment->ack_seq;
  } else {
    int payload = ntohs(cause->tot_len) - 4 * cause->ihl - 4 * segment->doff;
    reset.tcp.ack = 1;
    reset.tcp.ack_seq = htonl(ntohl(segment->seq) + payload + segment->syn + segment->fin);
  }
  uint32_t pseudo = sum_of(&reset.ip.saddr, 8, IPPROTO_TCP + sizeof reset.tcp);
  reset.tcp.check = checksum(sum_of(&reset.tcp, sizeof reset.tcp, pseudo));
  send_later(DOWN, &reset, sizeof reset, due, 0);
}

void answer_with_icmp(const struct iphdr* cause, int type, int code, double due) {
  enum { QUOTED = 40 };  // the headers of IP and TCP
  struct {
    struct iphdr ip;
    struct icmphdr icmp;
    unsigned char quoted[QUOTED];
  } message = {.ip = header_for(cause, IPPROTO_ICMP, sizeof message)};
  message.icmp.type = type;
  message.icmp.code = code;
  if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) {
    message.icmp.un.frag.mtu = htons(MTU_OF_ICMP);
  }
  memcpy(message.quoted, cause, QUOTED);
  message.icmp.checksum = checksum(sum_of(&message.icmp, sizeof message.icmp + QUOTED, 0));
  send_later(DOWN, &message, sizeof message, due, 0);
}
