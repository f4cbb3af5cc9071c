// In the place of the C library's header, which <linux/netfilter_ipv4.h> includes for the two
// below.

#define INT_MAX 2147483647
#define INT_MIN (-INT_MAX - 1)
