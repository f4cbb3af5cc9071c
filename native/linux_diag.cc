// Linux: the connections of the network namespace, through sock_diag(7). The messages themselves
// are written and read in lib/connections/linux.ts; here they are bytes with a length.

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
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

int OpenDiag(std::uint32_t groups) {
  const int socket =
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
  if (socket < 0) return -errno;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) return socket;
  const int error = errno;
  close(socket);
  return -error;
}

// To the kernel, which has begun to answer, or refused, when this returns.
int OpenAndSend(const void* query, std::size_t length) {
  const int socket = OpenDiag(0);
  if (socket < 0) return socket;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (sendto(socket, query, length, 0, reinterpret_cast<sockaddr*>(&kernel), sizeof(kernel)) >= 0) {
    return socket;
  }
  const int error = errno;
  close(socket);
  return -error;
}

// The next message, or messages, of the kernel and of nobody else; -EAGAIN if there is none.
int Receive(int socket, void* bytes, std::size_t room) {
  for (;;) {
    sockaddr_nl from{};
    socklen_t size = sizeof(from);
    // With MSG_TRUNC it answers how long the message was, also where the room was too short.
    const ssize_t length = recvfrom(socket, bytes, room, MSG_DONTWAIT | MSG_TRUNC,
                                    reinterpret_cast<sockaddr*>(&from), &size);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return -errno;
    if (from.nl_pid != 0) continue;
    return static_cast<std::size_t>(length) <= room ? static_cast<int>(length) : -EMSGSIZE;
  }
}

// What a watch tells of itself, in the form of the messages that it passes on: how many it had to
// drop, and how often the kernel had to, which does not count them.
struct Losses {
  nlmsghdr head;
  std::uint64_t dropped;
  std::uint64_t overruns;
};

struct Failure {
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
  explicit ConnectionTable(int socket) : socket_(socket) {
  }
  virtual ~ConnectionTable() {
    close(socket_);
  }
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  // The kernel goes on with its answer within each call, and has ended when there is nothing.
  virtual int Read(void* bytes, std::size_t room) {
    const int length = Receive(socket_, bytes, room);
    return length == -EAGAIN ? 0 : length;
  }

 protected:
  const int socket_;
};

namespace {

// The messages that arrive are kept until they are read: at most `limit`, in memory of a fixed
// size.
class Watch final : public ConnectionTable {
 public:
  Watch(int socket, std::size_t limit, void (*wake)(void*), void* context)
      : ConnectionTable(socket),
        limit_(limit),
        room_(limit * kMessage + kLongestMessage),
        wake_(wake),
        context_(context) {
  }

  ~Watch() override {
    if (running_) {
      const std::uint64_t one = 1;
      while (write(stop_, &one, sizeof(one)) < 0 && errno == EINTR) continue;
      pthread_join(thread_, nullptr);
    }
    if (stop_ >= 0) close(stop_);
    std::free(kept_);
  }

  int Start() {
    kept_ = static_cast<char*>(std::malloc(room_));
    if (kept_ == nullptr) return -ENOMEM;
    stop_ = eventfd(0, EFD_CLOEXEC);
    if (stop_ < 0) return -errno;
    const int error = pthread_create(&thread_, nullptr, Run, this);
    running_ = error == 0;
    return -error;
  }

  int Read(void* bytes, std::size_t room) override {
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
    if (failure_ != 0 && begin_ == end_ && length + sizeof(Failure) <= room) {
      const Failure failure{{sizeof(Failure), NLMSG_ERROR, 0, 0, 0}, failure_};
      std::memcpy(static_cast<char*>(bytes) + length, &failure, sizeof(failure));
      length += sizeof(failure);
      failure_ = 0;
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
    pollfd waited[] = {{socket_, POLLIN, 0}, {stop_, POLLIN, 0}};
    for (;;) {
      if (poll(waited, 2, -1) < 0) continue;
      if (waited[1].revents != 0) return;
      // Somebody has closed our descriptor: to ask again would never end.
      if ((waited[0].revents & POLLNVAL) != 0) return Fail(-EBADF);
      char messages[kLongestMessage];
      for (int length = 0; length != -EAGAIN;) {
        length = Receive(socket_, messages, sizeof(messages));
        if (length != -EAGAIN) Keep(messages, length);
      }
    }
  }

  void Keep(const char* messages, int length) {
    bool wake = false;
    {
      const Lock lock(&mutex_);
      // ENOBUFS: the kernel had no room, and says so once for all that it dropped by now.
      if (length < 0) overruns_++;
      std::size_t left = length < 0 ? 0 : static_cast<std::size_t>(length);
      for (std::size_t size = 0; left >= sizeof(nlmsghdr); left -= size, messages += size) {
        nlmsghdr head;
        std::memcpy(&head, messages, sizeof(head));
        size = NLMSG_ALIGN(head.nlmsg_len);
        if (head.nlmsg_len < sizeof(head) || size > left) break;
        Append(messages, size);
      }
      wake = !woken_;
      woken_ = true;
    }
    if (wake) wake_(context_);
  }

  void Append(const char* message, std::size_t size) {
    if (room_ - end_ < size && begin_ > 0) {
      std::memmove(kept_, kept_ + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (count_ == limit_ || room_ - end_ < size) {
      dropped_++;
      return;
    }
    std::memcpy(kept_ + end_, message, size);
    end_ += size;
    count_++;
  }

  void Fail(int error) {
    {
      const Lock lock(&mutex_);
      failure_ = error;
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
  pthread_t thread_{};
  bool running_ = false;
  int stop_ = -1;

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
  bool woken_ = false;
};

}  // namespace

int OpenConnectionTable(const void* query, std::size_t length, ConnectionTable** table) {
  const int socket = OpenAndSend(query, length);
  if (socket < 0) return socket;
  *table = new ConnectionTable(socket);
  return 0;
}

int ReadConnectionTable(ConnectionTable* table, void* bytes, std::size_t room) {
  return table->Read(bytes, room);
}

void CloseConnectionTable(ConnectionTable* table) {
  delete table;
}

int DestroyConnection(const void* query, std::size_t length) {
  const int socket = OpenAndSend(query, length);
  if (socket < 0) return socket;
  char bytes[1024];
  const int size = Receive(socket, bytes, sizeof(bytes));
  close(socket);
  if (size < 0) return size;
  Failure answer;
  if (static_cast<std::size_t>(size) < sizeof(answer)) return -EPROTO;
  std::memcpy(&answer, bytes, sizeof(answer));
  // An error of 0 is how netlink says that it was done.
  return answer.head.nlmsg_type == NLMSG_ERROR && answer.error <= 0 ? answer.error : -EPROTO;
}

int WatchClosedConnections(std::size_t limit, void (*wake)(void*), void* context,
                           ConnectionTable** table) {
  const int socket = OpenDiag(kClosedGroups);
  if (socket < 0) return socket;
  // Beyond the system's limit with CAP_NET_ADMIN, else up to it.
  if (setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(int)) != 0) {
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof(int));
  }
  Watch* watch = new Watch(socket, limit, wake, context);
  const int status = watch->Start();
  if (status < 0) {
    delete watch;
    return status;
  }
  *table = watch;
  return 0;
}

}  // namespace platform
