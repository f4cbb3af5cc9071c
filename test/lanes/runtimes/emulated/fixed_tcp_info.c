// Preloaded by emulated.mjs: getsockopt(TCP_INFO) writes these values, in the layout that the
// compiler of the processor gives them. qemu-user itself cuts TCP_INFO to 4 bytes. tcp-info.mjs
// reads the values from this file.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define SET(member, value) info.member = value

static struct tcp_info Fixed(void) {
  struct tcp_info info;
  memset(&info, 0, sizeof(info));
  SET(tcpi_state, 1);
  SET(tcpi_ca_state, 2);
  SET(tcpi_retransmits, 3);
  SET(tcpi_probes, 4);
  SET(tcpi_backoff, 5);
  SET(tcpi_options, 6);
  SET(tcpi_snd_wscale, 7);
  SET(tcpi_rcv_wscale, 9);
  SET(tcpi_delivery_rate_app_limited, 1);
  SET(tcpi_fastopen_client_fail, 2);
  SET(tcpi_rto, 201000);
  SET(tcpi_ato, 40001);
  SET(tcpi_snd_mss, 1448);
  SET(tcpi_rcv_mss, 1449);
  SET(tcpi_unacked, 11);
  SET(tcpi_sacked, 12);
  SET(tcpi_lost, 13);
  SET(tcpi_retrans, 14);
  SET(tcpi_fackets, 25);
  SET(tcpi_last_data_sent, 15);
  SET(tcpi_last_ack_sent, 26);
  SET(tcpi_last_data_recv, 16);
  SET(tcpi_last_ack_recv, 17);
  SET(tcpi_pmtu, 1500);
  SET(tcpi_rcv_ssthresh, 65001);
  SET(tcpi_rtt, 12345);
  SET(tcpi_rttvar, 6789);
  SET(tcpi_snd_ssthresh, 21);
  SET(tcpi_snd_cwnd, 10);
  SET(tcpi_advmss, 1460);
  SET(tcpi_reordering, 22);
  SET(tcpi_rcv_rtt, 23000);
  SET(tcpi_rcv_space, 14600);
  SET(tcpi_total_retrans, 24);
  SET(tcpi_pacing_rate, 0x1020304050607);
  SET(tcpi_max_pacing_rate, 0x1020304050608);
  SET(tcpi_bytes_acked, 0x100000001);
  SET(tcpi_bytes_received, 0x200000002);
  SET(tcpi_segs_out, 31);
  SET(tcpi_segs_in, 32);
  SET(tcpi_notsent_bytes, 33);
  SET(tcpi_min_rtt, 1234);
  SET(tcpi_data_segs_in, 34);
  SET(tcpi_data_segs_out, 35);
  SET(tcpi_delivery_rate, 0x300000003);
  SET(tcpi_busy_time, 0x400000004);
  SET(tcpi_rwnd_limited, 0x500000005);
  SET(tcpi_sndbuf_limited, 0x600000006);
  SET(tcpi_delivered, 36);
  SET(tcpi_delivered_ce, 37);
  SET(tcpi_bytes_sent, 0x700000007);
  SET(tcpi_bytes_retrans, 0x800000008);
  SET(tcpi_dsack_dups, 38);
  SET(tcpi_reord_seen, 39);
  SET(tcpi_rcv_ooopack, 40);
  SET(tcpi_snd_wnd, 41);
  return info;
}

int getsockopt(int socket, int level, int option, void* value, socklen_t* length) {
  if (level == SOL_SOCKET && option == SO_COOKIE) {
    const unsigned long long cookie = 0x0102030405060708;
    memcpy(value, &cookie, sizeof(cookie));
    *length = sizeof(cookie);
    return 0;
  }
  if (level != IPPROTO_TCP || option != TCP_INFO) {
    int (*const real)(int, int, int, void*, socklen_t*) = dlsym(RTLD_NEXT, "getsockopt");
    return real(socket, level, option, value, length);
  }
  const struct tcp_info info = Fixed();
  if (*length > sizeof(info)) *length = sizeof(info);
  memcpy(value, &info, *length);
  return 0;
}
