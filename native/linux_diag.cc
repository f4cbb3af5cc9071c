// Linux: the connections of the network namespace, through sock_diag(7). The messages themselves
// are written and read in lib/connections/sock-diag.ts; here they are bytes with a length.

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform.h"

namespace platform {

namespace {

// Groups of include/uapi/linux/sock_diag.h, as bits: SKNLGRP_INET_TCP_DESTROY (1) and
// SKNLGRP_INET6_TCP_DESTROY (3).
constexpr std::uint32_t kClosedGroups = 1u << 0 | 1u << 2;

// What the kernel may keep for a watch whose thread does not get to run.
constexpr int kReceiveBuffer = 4 << 20;

// A message of the kernel is some 400 bytes; what follows of later kernels has room too.
constexpr std::size_t kMessage = 512;
constexpr std::size_t kLongestMessage = 16 * 1024;

// How many failures in a row that pass by themselves are too many. Each costs a few microseconds,
// so that a failure which lasts (made by seccomp, say) is reported after some milliseconds.
constexpr int kPatience = 1000;

// Minus errno, after the system call of that name has failed.
int Failed(const char* name, const char** call) {
  *call = name;
  return -errno;
}

// A socket in a table of descriptors that belongs to the program. A program that closes every
// descriptor above 2 closes ours too, and gives their numbers to its own sockets. So each use asks
// first whether the number still stands for the same socket, by its cookie, which is never reused.
class OwnSocket {
 public:
  OwnSocket() = default;
  ~OwnSocket() {
    Close();
  }
  OwnSocket(const OwnSocket&) = delete;
  OwnSocket& operator=(const OwnSocket&) = delete;

  // Takes what socket(2) or socketpair(2) made. Zero, or the error of reading the cookie.
  int Take(int number, const char** call) {
    const int status = ReadCookie(number, &cookie_, call);
    if (status < 0) {
      close(number);
      return status;
    }
    number_ = number;
    return 0;
  }

  int number() const {
    return number_;
  }

  // Zero, or UV_EBADF where the number stands for nothing or for something else by now.
  int Check(const char** call) const {
    std::uint64_t cookie = 0;
    const int status = ReadCookie(number_, &cookie, call);
    if (status == -ENOTSOCK) return -EBADF;
    if (status < 0) return status;
    return cookie == cookie_ ? 0 : -EBADF;
  }

  bool IsOurs() const {
    const char* call;
    return number_ >= 0 && Check(&call) == 0;
  }

  void Close() {
    if (IsOurs()) close(number_);
    number_ = -1;
  }

 private:
  static int ReadCookie(int number, std::uint64_t* cookie, const char** call) {
    *call = "getsockopt";
    int length = sizeof(*cookie);
    return GetOption(number, SOL_SOCKET, SO_COOKIE, cookie, &length);
  }

  int number_ = -1;
  std::uint64_t cookie_ = 0;
};

int OpenDiag(std::uint32_t groups, OwnSocket* socket, const char** call) {
  const int number =
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
  if (number < 0) return Failed("socket", call);
  const int status = socket->Take(number, call);
  if (status < 0) return status;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  const int bound = bind(number, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  return bound == 0 ? 0 : Failed("bind", call);
}

// To the kernel, which has begun to answer, or refused, when this returns.
int OpenAndSend(const void* query, std::size_t length, OwnSocket* socket, const char** call) {
  const int status = OpenDiag(0, socket, call);
  if (status < 0) return status;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const ssize_t sent = sendto(socket->number(), query, length, 0,
                              reinterpret_cast<sockaddr*>(&kernel), sizeof(kernel));
  return sent >= 0 ? 0 : Failed("sendto", call);
}

// The length of the next message, or messages, of the kernel; 0 after one of somebody else, which
// is dropped; -EAGAIN if there is none.
//
// It peeks, and then removes the message by reading 0 bytes. If another thread closes the
// descriptor and opens a connection with its number between the check and the read, no byte of that
// connection is lost: reading 0 bytes removes a datagram but nothing from a stream.
int Receive(const OwnSocket& socket, void* bytes, std::size_t room, const char** call) {
  const int status = socket.Check(call);
  if (status < 0) return status;
  *call = "recvfrom";
  sockaddr_nl from{};
  socklen_t size = sizeof(from);
  // With MSG_TRUNC it returns the length of the message, also where the room was too short.
  const ssize_t length = recvfrom(socket.number(), bytes, room, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC,
                                  reinterpret_cast<sockaddr*>(&from), &size);
  if (length < 0) return -errno;
  if (size != sizeof(from) || from.nl_family != AF_NETLINK) return -EBADF;
  if (recv(socket.number(), bytes, 0, MSG_DONTWAIT) < 0) return Failed("recv", call);
  if (from.nl_pid != 0) return 0;
  return static_cast<std::size_t>(length) <= room ? static_cast<int>(length) : -EMSGSIZE;
}

// The same without the messages of others and without interruptions.
int ReceiveNext(const OwnSocket& socket, void* bytes, std::size_t room, const char** call) {
  int length = 0;
  for (int i = 0; i < kPatience && (length == 0 || length == -EINTR); i++) {
    length = Receive(socket, bytes, room, call);
  }
  return length;
}

// What a watch tells of itself, in the form of the messages that it passes on: how many it had to
// drop, and how often the kernel had to, which does not count them.
struct Losses {
  nlmsghdr head;
  std::uint64_t dropped;
  std::uint64_t overruns;
};

// What the kernel answers to a request that asks for no socket.
struct Acknowledgement {
  nlmsghdr head;
  std::int32_t error;
};

class Lock {
 public:
  explicit Lock(pthread_mutex_t* mutex) : mutex_(mutex) {
    pthread_mutex_lock(mutex_);
  }
  ~Lock() {
    pthread_mutex_unlock(mutex_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  pthread_mutex_t* mutex_;
};

}  // namespace

class ConnectionTable {
 public:
  ConnectionTable() = default;
  virtual ~ConnectionTable() = default;
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  int Ask(const void* query, std::size_t length, const char** call) {
    return OpenAndSend(query, length, &socket_, call);
  }

  // The kernel goes on with its answer within each call, and has ended when there is nothing.
  virtual int Read(void* bytes, std::size_t room, const char** call) {
    const int length = ReceiveNext(socket_, bytes, room, call);
    return length == -EAGAIN ? 0 : length;
  }

 protected:
  OwnSocket socket_;
};

namespace {

// How long the thread of a watch sleeps at most. Messages and the end of the watch wake it at once.
// The one thing that does not: all its descriptors were closed and their numbers reused at the
// moment when it began to wait. Then it waits on sockets of the program, and sees that when this
// time is over.
constexpr int kLongestSleep = 5000;  // milliseconds

// The messages that arrive are kept until they are read: at most `limit`, in memory of a fixed
// size.
//
// The thread and the program are the two ends of a pair of sockets. The program shuts its end down
// to end the thread; if it loses that end, the thread is hung up on all the same.
class Watch final : public ConnectionTable {
 public:
  Watch(std::size_t limit, void (*wake)(void*), void* context)
      : limit_(limit), room_(limit * kMessage + kLongestMessage), wake_(wake), context_(context) {
  }

  ~Watch() override {
    // In a child of fork(2) there is no thread, and the pair of sockets is the parent's too.
    if (running_ && getpid() == process_) {
      {
        const Lock lock(&mutex_);
        stopping_ = true;
      }
      if (program_end_.IsOurs()) shutdown(program_end_.number(), SHUT_RDWR);
      pthread_join(thread_, nullptr);
    }
    std::free(kept_);
  }

  int Start(const char** call) {
    int status = OpenDiag(kClosedGroups, &socket_, call);
    if (status < 0) return status;
    // Beyond the system's limit with CAP_NET_ADMIN, else up to it.
    if (setsockopt(socket_.number(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(int)) !=
        0) {
      setsockopt(socket_.number(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof(int));
    }
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      return Failed("socketpair", call);
    }
    const int other = program_end_.Take(ends[1], call);
    status = thread_end_.Take(ends[0], call);
    if (status < 0 || other < 0) return status < 0 ? status : other;
    *call = "malloc";
    kept_ = static_cast<char*>(std::malloc(room_));
    if (kept_ == nullptr) return -ENOMEM;
    *call = "pthread_create";

    // Signals are for the program's own threads, and do not interrupt this one.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&thread_, nullptr, Run, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    running_ = error == 0;
    return -error;
  }

  // What was kept comes first; then, with each further call, the failure that has ended the watch.
  int Read(void* bytes, std::size_t room, const char** call) override {
    const Lock lock(&mutex_);
    std::size_t length = 0;
    if (dropped_ + overruns_ > told_losses_ && room >= sizeof(Losses)) {
      const Losses losses{{sizeof(Losses), NLMSG_OVERRUN, 0, 0, 0}, dropped_, overruns_};
      std::memcpy(bytes, &losses, sizeof(losses));
      length = sizeof(losses);
      told_losses_ = dropped_ + overruns_;
    }
    for (; begin_ < end_; count_--) {
      const std::size_t size = SizeAt(begin_);
      if (length + size > room) break;
      std::memcpy(static_cast<char*>(bytes) + length, kept_ + begin_, size);
      length += size;
      begin_ += size;
    }
    if (begin_ == end_) begin_ = end_ = 0;
    if (length == 0 && failure_ != 0) {
      *call = failed_call_;
      return failure_;
    }
    // From here on there is something to wake the reader for.
    if (length == 0) woken_ = false;
    return static_cast<int>(length);
  }

 private:
  static void* Run(void* watch) {
    prctl(PR_SET_NAME, "tcp-closed");
    static_cast<Watch*>(watch)->Collect();
    return nullptr;
  }

  void Collect() {
    int error = 0;
    const char* call = "";
    // Rounds in a row without a message, though there was something to wake up for.
    for (int futile = 0; futile < kPatience; futile++) {
      pollfd waited[] = {{socket_.number(), POLLIN, 0}, {thread_end_.number(), POLLIN, 0}};
      const int ready = poll(waited, 2, kLongestSleep);
      error = ready < 0 ? Failed("poll", &call) : thread_end_.Check(&call);
      if (IsStopping()) return;
      // Hung up on, but not by the destructor: the program has closed our descriptor.
      if (error == 0 && waited[1].revents != 0) {
        error = -EBADF;
        call = "poll";
      }
      if (ready == 0) futile = 0;
      char messages[kLongestMessage];
      while (error == 0) {
        const int length = Receive(socket_, messages, sizeof(messages), &call);
        if (length < 0) error = length;
        if (length > 0) futile = 0;
        if (!Keep(messages, length)) return;
      }
      if (!Passes(error)) break;
    }
    Fail(error, call);
  }

  // Whether to go on after this error: there was nothing to read, or the kernel has dropped
  // messages, which it reports once for all that it dropped by then.
  static bool Passes(int error) {
    return error == -EAGAIN || error == -EINTR || error == -ENOBUFS || error == -EMSGSIZE;
  }

  bool IsStopping() {
    const Lock lock(&mutex_);
    return stopping_;
  }

  // Keeps what was received, `length` bytes, or counts the loss that a negative one reports. False
  // when the watch is being closed.
  bool Keep(const char* messages, int length) {
    bool wake = false;
    {
      const Lock lock(&mutex_);
      if (stopping_) return false;
      bool lost = length == -ENOBUFS || length == -EMSGSIZE;
      std::size_t left = length < 0 ? 0 : static_cast<std::size_t>(length);
      while (left >= sizeof(nlmsghdr)) {
        nlmsghdr head;
        std::memcpy(&head, messages, sizeof(head));
        // Compared before it is rounded up, which wraps around near 2^32.
        if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > left) {
          lost = true;
          break;
        }
        Append(messages, head.nlmsg_len);
        const std::size_t aligned = NLMSG_ALIGN(head.nlmsg_len);
        const std::size_t size = aligned < left ? aligned : left;
        left -= size;
        messages += size;
      }
      if (lost) overruns_++;
      wake = !woken_ && (length > 0 || lost);
      if (wake) woken_ = true;
    }
    if (wake) wake_(context_);
    return true;
  }

  void Append(const char* message, std::size_t length) {
    const std::size_t size = NLMSG_ALIGN(length);
    if (room_ - end_ < size && begin_ > 0) {
      std::memmove(kept_, kept_ + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (count_ == limit_ || room_ - end_ < size) {
      dropped_++;
      return;
    }
    std::memcpy(kept_ + end_, message, length);
    std::memset(kept_ + end_ + length, 0, size - length);
    end_ += size;
    count_++;
  }

  void Fail(int error, const char* call) {
    {
      const Lock lock(&mutex_);
      failure_ = error;
      failed_call_ = call;
      woken_ = true;
    }
    wake_(context_);
  }

  // Of a message that was kept: checked then.
  std::size_t SizeAt(std::size_t at) const {
    nlmsghdr head;
    std::memcpy(&head, kept_ + at, sizeof(head));
    return NLMSG_ALIGN(head.nlmsg_len);
  }

  const std::size_t limit_;
  const std::size_t room_;
  void (*const wake_)(void*);
  void* const context_;
  const pid_t process_ = getpid();
  OwnSocket program_end_;
  OwnSocket thread_end_;
  pthread_t thread_{};
  bool running_ = false;

  // Between the two threads:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  char* kept_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t count_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t overruns_ = 0;
  std::uint64_t told_losses_ = 0;
  int failure_ = 0;
  const char* failed_call_ = "";
  bool woken_ = false;
  bool stopping_ = false;
};

}  // namespace

int OpenConnectionTable(const void* query, std::size_t length, ConnectionTable** table,
                        const char** call) {
  ConnectionTable* asked = new ConnectionTable();
  const int status = asked->Ask(query, length, call);
  if (status < 0) {
    delete asked;
    return status;
  }
  *table = asked;
  return 0;
}

int ReadConnectionTable(ConnectionTable* table, void* bytes, std::size_t room, const char** call) {
  return table->Read(bytes, room, call);
}

void CloseConnectionTable(ConnectionTable* table) {
  delete table;
}

int DestroyConnection(const void* query, std::size_t length, const char** call) {
  OwnSocket socket;
  const int status = OpenAndSend(query, length, &socket, call);
  if (status < 0) return status;
  char bytes[1024];
  const int size = ReceiveNext(socket, bytes, sizeof(bytes), call);
  if (size < 0) return size;
  // From here on it is the kernel that refuses.
  *call = nullptr;
  Acknowledgement answer;
  if (static_cast<std::size_t>(size) < sizeof(answer)) return -EPROTO;
  std::memcpy(&answer, bytes, sizeof(answer));
  // An error of 0 is how netlink says that it was done.
  return answer.head.nlmsg_type == NLMSG_ERROR && answer.error <= 0 ? answer.error : -EPROTO;
}

int WatchClosedConnections(std::size_t limit, void (*wake)(void*), void* context,
                           ConnectionTable** table, const char** call) {
  Watch* watch = new Watch(limit, wake, context);
  const int status = watch->Start(call);
  if (status < 0) {
    delete watch;
    return status;
  }
  *table = watch;
  return 0;
}

}  // namespace platform
