// Watches for TCP sockets of the network namespace that close: a thread collects the messages that
// sock_diag(7) multicasts about them.

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linux_connections.h"
#include "linux_message_queue.h"

namespace platform {

namespace {

// Groups of include/uapi/linux/sock_diag.h, as bits: SKNLGRP_INET_TCP_DESTROY (1) and
// SKNLGRP_INET6_TCP_DESTROY (3).
constexpr std::uint32_t kDestroyGroups = 1u << 0 | 1u << 2;

// How much the kernel may keep while the thread does not run.
constexpr int kReceiveBuffer = 4 << 20;

// The longest sleep of the thread. Messages and the end of the watch wake it at once, with one
// exception: all its descriptors were closed and their numbers reused at the moment when it began
// to wait. Then it waits on sockets of the program, and notices after this time.
constexpr int kLongestSleep = 5000;  // milliseconds

// A message of our own, in netlink's form: how many messages the watch dropped, and how often the
// kernel dropped some. The kernel does not count them.
struct Losses {
  nlmsghdr header;
  std::uint64_t dropped;
  std::uint64_t overruns;
};

// Not std::lock_guard: std::mutex would need the C++ library (see native/runtime.cc).
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

// The thread and the program have one end each of a pair of sockets. The program shuts its end down
// to end the thread. If the program closes that end by mistake, the thread notices that too.
class Watch final : public ConnectionTable {
 public:
  Watch(std::size_t limit, void (*wake)(void*), void* context)
      : wake_(wake), context_(context), queue_(limit) {
  }

  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  ~Watch() override {
    // A child of fork(2) has no thread, and shares the pair of sockets with the parent.
    if (!has_thread_ || getpid() != process_) return;
    {
      const Lock lock(&mutex_);
      is_stopping_ = true;
    }
    if (program_end_.IsOwned()) shutdown(program_end_.descriptor(), SHUT_RDWR);
    pthread_join(thread_, nullptr);
  }

  int Start(const char** call) {
    int status = OpenNetlink(kDestroyGroups, &socket_, call);
    if (status < 0) return status;
    // SO_RCVBUFFORCE needs CAP_NET_ADMIN; SO_RCVBUF sets at most net.core.rmem_max.
    if (setsockopt(socket_.descriptor(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer,
                   sizeof(kReceiveBuffer)) != 0) {
      setsockopt(socket_.descriptor(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer,
                 sizeof(kReceiveBuffer));
    }
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      return Failed("socketpair", call);
    }
    // Both, whatever becomes of the first: a descriptor that is not adopted is closed.
    const int program_status = program_end_.Adopt(ends[1], call);
    status = thread_end_.Adopt(ends[0], call);
    if (status < 0) return status;
    if (program_status < 0) return program_status;
    *call = "malloc";
    if (!queue_.Allocate()) return -ENOMEM;
    return StartThread(call);
  }

  // Returns the messages that wait. After the last one, each call returns the error that ended the
  // watch.
  int Read(void* bytes, std::size_t room, const char** call) override {
    const Lock lock(&mutex_);
    std::size_t length = 0;
    if (dropped_ + overruns_ > reported_losses_ && room >= sizeof(Losses)) {
      const Losses losses{{sizeof(Losses), NLMSG_OVERRUN, 0, 0, 0}, dropped_, overruns_};
      std::memcpy(bytes, &losses, sizeof(losses));
      length = sizeof(losses);
      reported_losses_ = dropped_ + overruns_;
    }
    length += queue_.Pop(static_cast<char*>(bytes) + length, room - length);
    if (length == 0 && failure_ != 0) {
      *call = failed_call_;
      return failure_;
    }
    // The reader has seen that nothing is left, so the next message wakes it.
    if (length == 0) is_woken_ = false;
    return static_cast<int>(length);
  }

 private:
  // Without signals: they are for the program's own threads, and must not interrupt this one.
  int StartThread(const char** call) {
    *call = "pthread_create";
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&thread_, nullptr, Run, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    has_thread_ = error == 0;
    return -error;
  }

  static void* Run(void* watch) {
    prctl(PR_SET_NAME, "tcp-closed");
    static_cast<Watch*>(watch)->Collect();
    return nullptr;
  }

  void Collect() {
    int error = 0;
    const char* call = "";
    // Counts the rounds in a row that had a reason to wake up, but found no message.
    for (int futile = 0; futile < kMaxTransientFailures; futile++) {
      pollfd ends[] = {{socket_.descriptor(), POLLIN, 0}, {thread_end_.descriptor(), POLLIN, 0}};
      const int ready = poll(ends, 2, kLongestSleep);
      error = ready < 0 ? Failed("poll", &call) : thread_end_.Check(&call);
      if (IsStopping()) return;
      // An event at the thread's end, but not from the destructor: the program closed its own end.
      if (error == 0 && ends[1].revents != 0) {
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
      if (!IsTransient(error)) break;
    }
    Fail(error, call);
  }

  // Nothing to read; or the kernel dropped messages, which it reports once for all of them.
  static bool IsTransient(int error) {
    return error == -EAGAIN || error == -EINTR || error == -ENOBUFS || error == -EMSGSIZE;
  }

  bool IsStopping() {
    const Lock lock(&mutex_);
    return is_stopping_;
  }

  // Queues `length` bytes of messages. A negative length is an error, which is counted if it
  // reports a loss. Returns false when the watch is being closed.
  bool Keep(const char* messages, int length) {
    bool wake = false;
    {
      const Lock lock(&mutex_);
      if (is_stopping_) return false;
      bool lost = length == -ENOBUFS || length == -EMSGSIZE;
      std::size_t left = length < 0 ? 0 : static_cast<std::size_t>(length);
      while (left >= sizeof(nlmsghdr)) {
        nlmsghdr header{};
        std::memcpy(&header, messages, sizeof(header));
        // Checked before the alignment, which overflows near 2^32.
        if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > left) {
          lost = true;
          break;
        }
        if (!queue_.Push(messages, header.nlmsg_len)) dropped_++;
        const std::size_t aligned = NLMSG_ALIGN(header.nlmsg_len);
        const std::size_t size = aligned < left ? aligned : left;
        left -= size;
        messages += size;
      }
      if (lost) overruns_++;
      wake = !is_woken_ && (length > 0 || lost);
      if (wake) is_woken_ = true;
    }
    if (wake) wake_(context_);
    return true;
  }

  void Fail(int error, const char* call) {
    {
      const Lock lock(&mutex_);
      failure_ = error;
      failed_call_ = call;
      is_woken_ = true;
    }
    wake_(context_);
  }

  void (*const wake_)(void*);
  void* const context_;
  const pid_t process_ = getpid();
  OwnedSocket program_end_;
  OwnedSocket thread_end_;
  pthread_t thread_{};
  bool has_thread_ = false;

  // The mutex protects what follows.
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  MessageQueue queue_;
  std::uint64_t dropped_ = 0;
  std::uint64_t overruns_ = 0;
  std::uint64_t reported_losses_ = 0;
  int failure_ = 0;
  const char* failed_call_ = "";
  bool is_woken_ = false;
  bool is_stopping_ = false;
};

}  // namespace

int WatchClosedConnections(std::size_t limit, void (*wake)(void*), void* context,
                           ConnectionTable** table, const char** call) {
  auto watch = std::make_unique<Watch>(limit, wake, context);
  const int status = watch->Start(call);
  if (status == 0) *table = watch.release();
  return status;
}

}  // namespace platform
