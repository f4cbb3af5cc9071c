// In the place of the C library's header, which <linux/mptcp.h> includes: its names must not pass
// for the kernel's.
