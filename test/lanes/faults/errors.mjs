// The errors of each system call on Linux, from its manual page and the kernel's source. Any call can fail with the
// error that a seccomp filter chooses: EPERM and ENOSYS represent those.

/** Lasts as long as its reason does. */
const lasting = (...names) => names.map((name) => ({ name, lasts: true }));
/** Temporary: no kernel returns it for ever. */
const passing = (...names) => names.map((name) => ({ name, lasts: false }));

/** Short results that are no errors; see `enum Fault` in inject.c. */
export const ANSWERS = {
  'nothing written': -1,
  'cut short': -2,
  "another sender's": -3,
  'no event': -4,
  POLLERR: -5,
  POLLNVAL: -6,
};

export const ERRORS = {
  // setsockopt(2), tcp(7), ip(7), socket(7); net/core/sock.c sk_setsockopt(): EDOM of time-outs,
  // ENODEV of SO_BINDTODEVICE; net/ipv4/tcp.c do_tcp_setsockopt(): EISCONN, ENOTCONN (TCP_ULP), ENOENT
  // (TCP_CONGESTION), EBUSY; net/ipv4/ip_sockglue.c: ENOBUFS, ENOMEM; LSMs: EACCES.
  setsockopt: lasting(
    ...['EBADF', 'EFAULT', 'EINVAL', 'ENOPROTOOPT', 'ENOTSOCK', 'EDOM', 'EISCONN', 'ENOTCONN'],
    ...[
      'EPERM',
      'EACCES',
      'ENOMEM',
      'ENOBUFS',
      'EOPNOTSUPP',
      'ENODEV',
      'ENOENT',
      'EBUSY',
      'ENOSYS',
    ],
  ),
  // getsockopt(2); net/core/sock.c sk_getsockopt(): ENOTCONN (SO_PEERNAME), ENODATA (SO_PEERPIDFD), ERANGE
  // (SO_PEERGROUPS); LSMs: EACCES. Cut short: a kernel whose structure is shorter.
  getsockopt: [
    ...lasting('EBADF', 'EFAULT', 'EINVAL', 'ENOPROTOOPT', 'ENOTSOCK', 'EOPNOTSUPP', 'ENOTCONN'),
    ...lasting('EPERM', 'EACCES', 'ENOMEM', 'ENOBUFS', 'ERANGE', 'ENOSYS'),
    ...lasting('nothing written', 'cut short'),
  ],
  // recv(2) with no room for bytes: the same as recvfrom(2).
  recv: [
    ...passing('EINTR', 'EAGAIN', 'ENOBUFS'),
    ...lasting('EBADF', 'ECONNREFUSED', 'ENOMEM', 'ENOTCONN', 'ENOTSOCK', 'EPERM', 'ENOSYS'),
  ],
  // socketpair(2).
  socketpair: lasting(
    ...['EAFNOSUPPORT', 'EFAULT', 'EMFILE', 'ENFILE', 'ENOMEM', 'EOPNOTSUPP', 'EPERM', 'ENOSYS'],
  ),
  // shutdown(2). The addon checks just before that the descriptor is open.
  shutdown: lasting('ENOTCONN', 'EPERM'),
  // socket(2); net/socket.c __sock_create(): EINVAL, ESOCKTNOSUPPORT.
  socket: lasting(
    ...['EACCES', 'EAFNOSUPPORT', 'EINVAL', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
    ...['EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'EPERM', 'ENOSYS'],
  ),
  // bind(2); net/netlink/af_netlink.c netlink_bind(): EPERM (groups), EADDRINUSE, ENOMEM.
  bind: lasting('EBADF', 'EACCES', 'EADDRINUSE', 'EINVAL', 'ENOMEM', 'ENOTSOCK', 'EPERM', 'ENOSYS'),
  connect: lasting('EADDRNOTAVAIL', 'EACCES', 'EAFNOSUPPORT', 'EBADF', 'ENETUNREACH', 'EPERM'),
  // sendto(2); net/netlink/af_netlink.c netlink_sendmsg(): ECONNREFUSED (no such protocol), EMSGSIZE,
  // ENOBUFS, EPERM.
  sendto: [
    ...passing('EINTR', 'EAGAIN'),
    ...lasting('EACCES', 'EBADF', 'ECONNREFUSED', 'EINVAL', 'EMSGSIZE', 'ENOBUFS', 'ENOMEM'),
    ...lasting('ENOTCONN', 'ENOTSOCK', 'EPERM', 'ENOSYS'),
  ],
  // recvfrom(2); net/netlink/af_netlink.c netlink_overrun(): ENOBUFS, once for all that was lost.
  recvfrom: [
    ...passing('EINTR', 'EAGAIN', 'ENOBUFS', "another sender's"),
    ...lasting('EBADF', 'ECONNREFUSED', 'EFAULT', 'EINVAL', 'ENOMEM', 'ENOTCONN', 'ENOTSOCK'),
    ...lasting('EPERM', 'ENOSYS', 'nothing written', 'cut short'),
  ],
  // poll(2).
  poll: [
    ...passing('EINTR', 'no event', 'POLLERR'),
    ...lasting('EFAULT', 'EINVAL', 'ENOMEM', 'EPERM', 'ENOSYS', 'POLLNVAL'),
  ],
  // eventfd(2).
  eventfd: lasting('EINVAL', 'EMFILE', 'ENFILE', 'ENODEV', 'ENOMEM', 'EPERM', 'ENOSYS'),
  // write(2), on an eventfd or a pipe.
  write: [...passing('EINTR', 'EAGAIN'), ...lasting('EBADF', 'EINVAL', 'EIO', 'EPERM', 'EPIPE')],
  // pthread_create(3).
  pthread_create: lasting('EAGAIN', 'EINVAL', 'EPERM'),
  // malloc(3), of a table.
  malloc: lasting('ENOMEM'),
  // open(2), proc(5).
  open: [
    ...passing('EINTR'),
    ...lasting('EACCES', 'EMFILE', 'ENFILE', 'ENOENT', 'ENOTDIR', 'ENOMEM', 'ELOOP', 'EPERM'),
    ...lasting('EIO', 'ENOSYS'),
  ],
  // read(2); kernel/sysctl.c proc_do*(): EINVAL, EPERM, ENOMEM.
  read: [
    ...passing('EINTR'),
    ...lasting('EBADF', 'EFAULT', 'EINVAL', 'EIO', 'EISDIR', 'ENOMEM', 'EPERM', 'nothing written'),
  ],
  // close(2): the descriptor is closed whatever it answers.
  close: lasting('EINTR', 'EIO'),
  // ioctl(2); net/ipv4/tcp.c tcp_ioctl(): EINVAL of listening sockets.
  ioctl: lasting('EBADF', 'EFAULT', 'EINVAL', 'ENOTTY', 'ENODEV', 'EPERM', 'ENOSYS'),
  fcntl: lasting('EBADF', 'EINVAL', 'EPERM'),
  getsockname: lasting('EBADF', 'EFAULT', 'EINVAL', 'ENOBUFS', 'ENOTSOCK', 'EPERM'),
  getpeername: lasting('EBADF', 'EFAULT', 'EINVAL', 'ENOBUFS', 'ENOTCONN', 'ENOTSOCK', 'EPERM'),
  // readlink(2), proc(5): EACCES, and ENOENT of what is gone.
  readlink: lasting('EACCES', 'EINVAL', 'EIO', 'ENOENT', 'ENOMEM', 'ENOTDIR', 'EPERM'),
  // opendir(3), readdir(3); getdents(2).
  opendir: lasting('EACCES', 'EMFILE', 'ENFILE', 'ENOENT', 'ENOMEM', 'ENOTDIR', 'EPERM'),
  readdir: lasting('EBADF', 'ENOENT', 'EPERM', 'ENOSYS', 'EIO'),
  scandir: lasting('EACCES', 'EMFILE', 'ENFILE', 'ENOENT', 'ENOMEM', 'ENOTDIR', 'EPERM'),
  // fstat(2).
  fstat: lasting('EBADF', 'EFAULT', 'ENOMEM', 'EOVERFLOW', 'EPERM'),
};

/**
 * Kernels write less than the whole value only for these options: TCP_INFO, which has grown, TCP_CC_INFO,
 * SO_MEMINFO, and the options that getRawOption() reads. For all others they write the whole value, or fail.
 */
export const OF_ANY_LENGTH = new Set(['getsockopt 6/11', 'getsockopt 6/26', 'getsockopt 1/55']);

/** The errors of SO_COOKIE, which works in every state of a socket. */
export const COOKIE_ERRORS = new Set([
  'EBADF',
  'EFAULT',
  'ENOTSOCK',
  'ENOPROTOOPT',
  'EPERM',
  'EACCES',
  'ENOSYS',
]);
