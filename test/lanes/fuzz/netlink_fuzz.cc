// Feeds native/platform/linux_*.cc with mutated netlink messages. The linker replaces the system calls
// that it makes (--wrap), so the code itself is compiled as it is. Mutation is guided by coverage
// (-fsanitize-coverage=trace-pc). test/lanes/fuzz/run.mjs builds and runs it.
//
//   netlink_fuzz --seed=N --seconds=N --corpus=FOLDER --current=FILE --emit=FILE
//   netlink_fuzz --replay=FILE
//
// An input is a program: kMode, kLimit, kRoom, kFault, then datagrams, each with two bytes of
// length and one of flags before it. Beyond what the sanitizers see, each message that comes out
// must be one that went in, whole and in order, and each one that is missing must be counted.

#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "platform/platform.h"

namespace {

using Bytes = std::vector<unsigned char>;

// What the flags of a datagram say of it.
constexpr int kFromAnother = 1;   // a process sent it, not the kernel
constexpr int kRefused = 2;       // there is no datagram but an error
constexpr int kEndsBatch = 4;     // nothing else waits behind it
constexpr int kClaimsMore = 8;    // it is longer than any room
constexpr int kInterrupted = 16;  // a signal comes first

constexpr int kErrors[] = {EINTR, ENOBUFS, EMSGSIZE, EAGAIN,       EBADF,
                           EPERM, ENOMEM,  ENOTSOCK, ECONNREFUSED, EFAULT};
constexpr std::size_t kRooms[] = {32768, 65536, 16384, 4096, 512, 112, 48, 32, 16, 1, 0};

// What is made to fail, by the number of the fault in an input.
enum Fault {
  kNone,
  kSocket,
  kBind,
  kSend,
  kPair,
  kThread,
  kPollInvalid,
  kPollInterrupted,
  kBuffer,
  // The descriptor stands for another socket, or for none, from the third datagram on.
  kReplaced,
  kClosed
};

struct Datagram {
  const unsigned char* bytes;
  std::size_t length;
  int flags;
};

// The kernel of one run. A watch has a thread; while that runs, the reader waits, and the other way
// round, so that each run of an input is the same.
struct Kernel {
  std::vector<Datagram> datagrams;
  std::size_t next = 0;
  std::size_t arrived = 0;
  bool pause = false;
  bool interrupted = false;
  int fault = kNone;
  int socket = -1;
  std::size_t wakes = 0;
  bool idle = false;
  bool ended = false;
  bool hung_up = false;
  void* (*thread)(void*) = nullptr;
  void* argument = nullptr;
};
Kernel kernel;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "netlink_fuzz: %s\n", what);
  std::abort();
}

void Check(bool holds, const char* what) {
  if (!holds) Fail(what);
}

int Refuse(int error) {
  errno = error;
  return -1;
}

}  // namespace

// ------------------------------------------------------------------ the system calls
extern "C" {

int __real_getsockopt(int socket, int level, int name, void* value, socklen_t* size);
int __real_socketpair(int domain, int type, int protocol, int ends[2]);
int __real_shutdown(int socket, int how);
int __real_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                          void* argument);

int __wrap_socket(int domain, int, int) {
  Check(domain == AF_NETLINK, "a socket of another family");
  if (kernel.fault == kSocket) return Refuse(EMFILE);
  // A real descriptor, so that one that is not closed is seen.
  kernel.socket = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return kernel.socket;
}

int __wrap_bind(int, const sockaddr*, socklen_t) {
  return kernel.fault == kBind ? Refuse(EACCES) : 0;
}

ssize_t __wrap_sendto(int, const void*, size_t length, int, const sockaddr*, socklen_t) {
  return kernel.fault == kSend ? Refuse(ENOBUFS) : static_cast<ssize_t>(length);
}

int __wrap_setsockopt(int, int, int, const void*, socklen_t) {
  return kernel.fault == kBuffer ? Refuse(EPERM) : 0;
}

// Of the netlink socket only its cookie is read; the other sockets are real.
int __wrap_getsockopt(int socket, int level, int name, void* value, socklen_t* size) {
  if (socket != kernel.socket) return __real_getsockopt(socket, level, name, value, size);
  Check(level == SOL_SOCKET && name == SO_COOKIE, "another option of the netlink socket");
  if (kernel.next >= 2 && kernel.fault == kClosed) return Refuse(EBADF);
  const std::uint64_t cookie = kernel.next >= 2 && kernel.fault == kReplaced ? 4712 : 4711;
  std::memcpy(value, &cookie, sizeof(cookie));
  return 0;
}

// Leaves in `at` as much as fits; with MSG_TRUNC it returns how long the datagram was.
ssize_t __wrap_recvfrom(int, void* at, size_t room, int flags, sockaddr* from, socklen_t* size) {
  if (kernel.pause || kernel.next == kernel.arrived) {
    kernel.pause = false;
    return Refuse(EAGAIN);
  }
  Datagram& datagram = kernel.datagrams[kernel.next];
  if ((datagram.flags & kInterrupted) != 0) {
    datagram.flags &= ~kInterrupted;
    return Refuse(EINTR);
  }
  const bool refused = (datagram.flags & kRefused) != 0;
  if (refused || (flags & MSG_PEEK) == 0) {
    kernel.next++;
    kernel.pause = (datagram.flags & kEndsBatch) != 0;
  }
  if (refused) {
    const std::size_t which = datagram.length > 0 ? datagram.bytes[0] : 0;
    return Refuse(kErrors[which % (sizeof(kErrors) / sizeof(kErrors[0]))]);
  }
  sockaddr_nl sender{};
  sender.nl_family = AF_NETLINK;
  sender.nl_pid = (datagram.flags & kFromAnother) != 0 ? 4711 : 0;
  if (from != nullptr) {
    std::memcpy(from, &sender, *size < sizeof(sender) ? *size : sizeof(sender));
    *size = sizeof(sender);
  }
  const bool more = (flags & MSG_TRUNC) != 0;
  if ((datagram.flags & kClaimsMore) != 0) {
    std::memset(at, 0xa5, room);
    return static_cast<ssize_t>(more ? room + 1 + datagram.length : room);
  }
  const std::size_t fits = datagram.length < room ? datagram.length : room;
  if (fits > 0) std::memcpy(at, datagram.bytes, fits);
  return static_cast<ssize_t>(more ? datagram.length : fits);
}

ssize_t __wrap_recv(int socket, void* at, size_t room, int flags) {
  return __wrap_recvfrom(socket, at, room, flags, nullptr, nullptr);
}

// Messages wait for the socket. When there are none left, the thread waits until more arrive or the
// other end hangs up.
int __wrap_poll(pollfd* waited, nfds_t count, int) {
  if (kernel.fault == kPollInterrupted && !kernel.interrupted) {
    kernel.interrupted = true;
    return Refuse(EINTR);
  }
  pthread_mutex_lock(&mutex);
  while (kernel.next == kernel.arrived && !kernel.hung_up) {
    kernel.idle = true;
    pthread_cond_signal(&changed);
    pthread_cond_wait(&changed, &mutex);
  }
  kernel.idle = false;
  const bool hung_up = kernel.hung_up;
  pthread_mutex_unlock(&mutex);
  for (nfds_t i = 0; i < count; i++) {
    const bool is_socket = waited[i].fd == kernel.socket;
    const bool invalid = is_socket && kernel.fault == kPollInvalid;
    waited[i].revents = invalid ? POLLNVAL : is_socket == hung_up ? 0 : POLLIN;
  }
  return 1;
}

int __wrap_socketpair(int domain, int type, int protocol, int ends[2]) {
  if (kernel.fault == kPair) return Refuse(EMFILE);
  return __real_socketpair(domain, type, protocol, ends);
}

int __wrap_shutdown(int socket, int how) {
  pthread_mutex_lock(&mutex);
  kernel.hung_up = true;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  return __real_shutdown(socket, how);
}

void* RunThread(void*) {
  kernel.thread(kernel.argument);
  pthread_mutex_lock(&mutex);
  kernel.ended = true;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  return nullptr;
}

int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                          void* argument) {
  if (kernel.fault == kThread) return EAGAIN;
  kernel.thread = run;
  kernel.argument = argument;
  return __real_pthread_create(thread, attributes, RunThread, nullptr);
}

int __wrap_prctl(int, ...) {
  return 0;
}

// ------------------------------------------------------------------ coverage
constexpr std::size_t kEdges = 1 << 12;
unsigned char edges[kEdges];
std::uintptr_t last_block;

void __sanitizer_cov_trace_pc() {
  const auto block = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  unsigned char& edge = edges[(block ^ last_block) % kEdges];
  if (edge < 255) edge++;
  last_block = block >> 1;
}

}  // extern "C"

namespace {

// How often, as a bit: 1, 2, 3 to 4, 5 to 8 ...
unsigned char Bucket(unsigned char count) {
  unsigned char bit = 1;
  for (unsigned limit = 1; count > limit && bit < 128; limit *= 2) bit <<= 1;
  return count == 0 ? 0 : bit;
}

unsigned char known[kEdges];

bool FoundNew() {
  bool found = false;
  for (std::size_t i = 0; i < kEdges; i++) {
    const unsigned char bucket = Bucket(edges[i]);
    if ((known[i] | bucket) != known[i]) found = true;
    known[i] |= bucket;
  }
  return found;
}

std::size_t CountEdges() {
  std::size_t count = 0;
  for (const unsigned char edge : known) count += edge != 0;
  return count;
}

// ------------------------------------------------------------------ one run
enum Head { kMode, kLimit, kRoom, kFault, kHead };

// What came out of the reader goes on to the decoders: test/lanes/fuzz/messages.mjs.
FILE* emitted;

void Emit(const void* bytes, int length) {
  if (emitted == nullptr || length <= 0) return;
  const std::uint32_t size = static_cast<std::uint32_t>(length);
  std::fwrite(&size, sizeof(size), 1, emitted);
  std::fwrite(bytes, size, 1, emitted);
}

std::vector<Datagram> DatagramsOf(const Bytes& input) {
  std::vector<Datagram> datagrams;
  for (std::size_t at = kHead; at + 3 <= input.size();) {
    std::size_t length = input[at] | input[at + 1] << 8;
    const int flags = input[at + 2];
    at += 3;
    if (length > input.size() - at) length = input.size() - at;
    datagrams.push_back({input.data() + at, length, flags});
    at += length;
  }
  return datagrams;
}

// The messages that a watch must keep or count, of the datagrams that it got to.
std::vector<Bytes> Expected(std::size_t until) {
  std::vector<Bytes> messages;
  for (std::size_t i = 0; i < until; i++) {
    const Datagram& datagram = kernel.datagrams[i];
    if ((datagram.flags & (kFromAnother | kRefused | kClaimsMore)) != 0) continue;
    if (datagram.length > 16 * 1024) continue;
    for (std::size_t at = 0; datagram.length - at >= sizeof(nlmsghdr);) {
      nlmsghdr head;
      std::memcpy(&head, datagram.bytes + at, sizeof(head));
      const std::size_t length = head.nlmsg_len;
      const std::size_t left = datagram.length - at;
      if (length < sizeof(head) || length > left) break;
      // What follows up to a whole word is nothing.
      const std::size_t size = (length + 3) & ~std::size_t{3};
      Bytes message(datagram.bytes + at, datagram.bytes + at + length);
      message.resize(size);
      messages.push_back(message);
      at += size < left ? size : left;
    }
  }
  return messages;
}

// What the reader got of a watch so far.
struct Told {
  std::size_t next = 0;  // of the expected messages
  std::uint64_t kept = 0;
  std::uint64_t dropped = 0;
  std::uint64_t overruns = 0;
  bool failed = false;
};

void Take(Told* told, const std::vector<Bytes>& expected, const unsigned char* bytes, int length) {
  const std::size_t end = static_cast<std::size_t>(length);
  for (std::size_t at = 0; at < end;) {
    nlmsghdr head;
    Check(end - at >= sizeof(head), "a piece of a message was handed on");
    std::memcpy(&head, bytes + at, sizeof(head));
    const std::size_t size = (std::size_t{head.nlmsg_len} + 3) & ~std::size_t{3};
    Check(head.nlmsg_len >= sizeof(head) && size <= end - at, "a message of a wrong length");
    std::size_t place = told->next;
    while (place < expected.size() && (expected[place].size() != size ||
                                       std::memcmp(expected[place].data(), bytes + at, size) != 0))
      place++;
    if (place < expected.size()) {
      told->kept++;
      told->next = place + 1;
    } else if (head.nlmsg_type == NLMSG_OVERRUN && at == 0 && size >= 32) {
      std::uint64_t losses[2];
      std::memcpy(losses, bytes + at + 16, sizeof(losses));
      Check(losses[0] >= told->dropped && losses[1] >= told->overruns, "a loss was taken back");
      told->dropped = losses[0];
      told->overruns = losses[1];
    } else {
      Check(false, "a message that nobody sent");
    }
    at += size;
  }
}

// Lets datagrams up to `end` arrive, and waits until the watch's thread has taken them.
void Arrive(std::size_t end) {
  pthread_mutex_lock(&mutex);
  kernel.arrived = end;
  kernel.idle = false;
  pthread_cond_broadcast(&changed);
  while (!kernel.idle && !kernel.ended) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
}

void Wake(void* context) {
  ++*static_cast<std::size_t*>(context);
}

void RunWatch(const Bytes& input) {
  const std::size_t limit = 1 + input[kLimit] % 64;
  const std::size_t room = kRooms[input[kRoom] % (sizeof(kRooms) / sizeof(kRooms[0]))];
  platform::ConnectionTable* table = nullptr;
  const char* call = nullptr;
  const int status = platform::WatchClosedConnections(limit, Wake, &kernel.wakes, &table, &call);
  Check(status <= 0, "a status above zero");
  if (status < 0) {
    Check(call != nullptr, "a system call that failed was not named");
    Check(table == nullptr, "a table was left by a watch that failed");
    return;
  }
  // Of exactly this size, so that a byte beyond is seen.
  const std::unique_ptr<unsigned char[]> bytes(new unsigned char[room]);
  Told told;
  // A third of the datagrams arrives before each read.
  for (std::size_t part = 1; part <= 3; part++) {
    Arrive(kernel.datagrams.size() * part / 3);
    const std::vector<Bytes> expected = Expected(kernel.next);
    for (int length = 1, reads = 0; length != 0; reads++) {
      Check(reads < 10000, "reading does not end");
      call = nullptr;
      length = platform::ReadConnectionTable(table, bytes.get(), room, &call);
      Check(length <= static_cast<int>(room), "more was read than there is room for");
      if (length < 0) {
        Check(call != nullptr, "a system call that failed was not named");
        told.failed = true;
        break;
      }
      Take(&told, expected, bytes.get(), length);
      Emit(bytes.get(), length);
    }
    if (room >= 32768) {
      Check(told.kept + told.dropped == expected.size(), "a message was lost and not counted");
      Check(kernel.wakes > 0 || told.kept + told.dropped + told.overruns + told.failed == 0,
            "nobody was woken");
    }
  }
  platform::CloseConnectionTable(table);
}

void RunTable(const Bytes& input) {
  const std::size_t room = kRooms[input[kRoom] % (sizeof(kRooms) / sizeof(kRooms[0]))];
  platform::ConnectionTable* table = nullptr;
  const char* call = nullptr;
  if (platform::OpenConnectionTable("query", 5, &table, &call) < 0) return;
  const std::unique_ptr<unsigned char[]> bytes(new unsigned char[room]);
  for (std::size_t reads = 0; reads <= kernel.datagrams.size(); reads++) {
    const int length = platform::ReadConnectionTable(table, bytes.get(), room, &call);
    Check(length <= static_cast<int>(room), "more was read than there is room for");
    if (length <= 0) break;
    Check(kernel.next > 0 && (kernel.datagrams[kernel.next - 1].flags & kFromAnother) == 0,
          "a message that the kernel did not send");
    Emit(bytes.get(), length);
  }
  platform::CloseConnectionTable(table);
}

// A run takes some microseconds.
constexpr unsigned kSecondsOfARun = 10;

void Run(const Bytes& input) {
  alarm(kSecondsOfARun);
  kernel = Kernel();
  if (input.size() < kHead) return;
  kernel.fault = input[kFault] <= kClosed ? static_cast<int>(input[kFault]) : int{kNone};
  kernel.datagrams = DatagramsOf(input);
  kernel.arrived = (input[kMode] % 4) < 2 ? kernel.datagrams.size() : 0;
  last_block = 0;
  std::memset(edges, 0, sizeof(edges));
  switch (input[kMode] % 4) {
    case 0:
      RunTable(input);
      break;
    case 1: {
      const char* call = nullptr;
      Check(platform::DestroyConnection("query", 5, &call) <= 0, "an answer above zero");
      break;
    }
    default:
      RunWatch(input);
  }
  // The code must not close what has become another socket's.
  if (kernel.next >= 2 && (kernel.fault == kReplaced || kernel.fault == kClosed)) {
    Check(close(kernel.socket) == 0, "a descriptor of another socket was closed");
  }
}

// ------------------------------------------------------------------ mutation
std::uint64_t random_state;

// splitmix64
std::uint64_t Random() {
  std::uint64_t z = random_state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

std::size_t Below(std::size_t limit) {
  return limit == 0 ? 0 : Random() % limit;
}

constexpr std::uint32_t kInteresting[] = {
    0,      1,      2,          3,          4,          15,         16,        17,
    20,     31,     32,         71,         72,         88,         127,       128,
    255,    256,    511,        512,        0x7fff,     0x8000,     0xffff,    0x3fff,
    0x4000, 0x3ffc, 0x7fffffff, 0x80000000, 0xfffffffc, 0xfffffffd, 0xffffffff};

void Mutate(Bytes* input, const std::vector<Bytes>& corpus) {
  for (std::size_t times = 1 + Below(6); times > 0; times--) {
    const std::size_t at = Below(input->size());
    switch (Below(9)) {
      case 0:
        if (!input->empty()) (*input)[at] ^= 1 << Below(8);
        break;
      case 1:
        if (!input->empty()) (*input)[at] = static_cast<unsigned char>(Random());
        break;
      case 2:
      case 3: {
        const std::uint32_t value =
            kInteresting[Below(sizeof(kInteresting) / sizeof(std::uint32_t))];
        const std::size_t width = 1 << Below(3);
        if (at + width <= input->size()) std::memcpy(input->data() + at, &value, width);
        break;
      }
      case 4: {
        const std::size_t length = Below(input->size() - at < 200 ? input->size() - at : 200);
        input->erase(input->begin() + at, input->begin() + at + length);
        break;
      }
      case 5: {
        const Bytes piece(input->begin() + at, input->begin() + at + Below(input->size() - at));
        if (input->size() + piece.size() < 60000) {
          input->insert(input->begin() + Below(input->size()), piece.begin(), piece.end());
        }
        break;
      }
      case 6: {
        // The rest of another input.
        const Bytes& other = corpus[Below(corpus.size())];
        if (other.size() > kHead) {
          input->resize(at);
          const std::size_t from = Below(other.size());
          input->insert(input->end(), other.begin() + from, other.end());
        }
        break;
      }
      case 7: {
        // All datagrams of another input behind those of this one.
        const Bytes& other = corpus[Below(corpus.size())];
        if (other.size() > kHead && input->size() + other.size() < 60000) {
          input->insert(input->end(), other.begin() + kHead, other.end());
        }
        break;
      }
      default:
        if (input->size() >= kHead) (*input)[Below(kHead)] = static_cast<unsigned char>(Below(16));
    }
  }
}

// ------------------------------------------------------------------ the lane
Bytes Contents(const std::string& path) {
  Bytes bytes;
  FILE* file = std::fopen(path.c_str(), "rb");
  Check(file != nullptr, "a file cannot be read");
  unsigned char piece[4096];
  for (std::size_t size; (size = std::fread(piece, 1, sizeof(piece), file)) > 0;) {
    bytes.insert(bytes.end(), piece, piece + size);
  }
  std::fclose(file);
  return bytes;
}

// A corpus file is what one recvfrom gave. Each is a seed for each kind of reader.
std::vector<Bytes> Seeds(const std::string& folder) {
  std::vector<Bytes> seeds;
  std::vector<std::string> names;
  DIR* directory = opendir(folder.c_str());
  Check(directory != nullptr, "no folder of the corpus");
  while (const dirent* entry = readdir(directory)) {
    if (std::strstr(entry->d_name, ".netlink") != nullptr) names.push_back(entry->d_name);
  }
  closedir(directory);
  Check(!names.empty(), "an empty corpus");
  // In one order everywhere: a seed's run has to be the same again.
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const Bytes datagram = Contents(folder + "/" + name);
    for (unsigned char mode = 0; mode < 3; mode++) {
      Bytes seed = {mode,
                    16,
                    0,
                    0,
                    static_cast<unsigned char>(datagram.size()),
                    static_cast<unsigned char>(datagram.size() >> 8),
                    kEndsBatch};
      seed.insert(seed.end(), datagram.begin(), datagram.end());
      seeds.push_back(seed);
    }
  }
  return seeds;
}

double Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

int FirstFreeDescriptor() {
  const int first = dup(0);
  close(first);
  return first;
}

std::string Argument(int count, char** arguments, const char* name) {
  const std::string prefix = std::string("--") + name + "=";
  for (int i = 1; i < count; i++) {
    if (std::strncmp(arguments[i], prefix.c_str(), prefix.size()) == 0) {
      return arguments[i] + prefix.size();
    }
  }
  return "";
}

}  // namespace

int main(int count, char** arguments) {
  signal(SIGALRM, [](int) { Fail("a run does not end"); });
  const std::string replay = Argument(count, arguments, "replay");
  const int first_free = FirstFreeDescriptor();
  if (!replay.empty()) {
    Run(Contents(replay));
    Check(FirstFreeDescriptor() == first_free, "a descriptor was left open");
    std::puts("no failure");
    return 0;
  }

  // The input under test is in a file, whatever ends this process.
  constexpr std::size_t kLongest = 1 << 16;
  const int current = open(Argument(count, arguments, "current").c_str(), O_RDWR | O_CREAT, 0600);
  Check(current >= 0 && ftruncate(current, kLongest + 4) == 0, "--current cannot be written");
  auto* shared = static_cast<unsigned char*>(
      mmap(nullptr, kLongest + 4, PROT_READ | PROT_WRITE, MAP_SHARED, current, 0));
  close(current);

  random_state = std::strtoull(Argument(count, arguments, "seed").c_str(), nullptr, 10);
  const double end = Now() + std::strtod(Argument(count, arguments, "seconds").c_str(), nullptr);
  std::vector<Bytes> corpus = Seeds(Argument(count, arguments, "corpus"));
  const std::size_t seeds = corpus.size();
  unsigned long long executions = 0;
  for (; executions < seeds || Now() < end; executions++) {
    Bytes input = corpus[executions < seeds ? executions : Below(corpus.size())];
    if (executions >= seeds) Mutate(&input, corpus);
    if (input.size() > kLongest) input.resize(kLongest);
    const std::uint32_t size = static_cast<std::uint32_t>(input.size());
    std::memcpy(shared, &size, sizeof(size));
    std::memcpy(shared + 4, input.data(), input.size());
    Run(input);
    if (FoundNew() && executions >= seeds && corpus.size() < 4096) corpus.push_back(input);
    if (executions % 256 == 0) {
      Check(FirstFreeDescriptor() == first_free, "a descriptor was left open");
    }
  }
  Check(FirstFreeDescriptor() == first_free, "a descriptor was left open");

  const std::string emit = Argument(count, arguments, "emit");
  if (!emit.empty()) {
    emitted = std::fopen(emit.c_str(), "wb");
    Check(emitted != nullptr, "--emit cannot be written");
    for (const Bytes& input : corpus) Run(input);
    std::fclose(emitted);
  }
  std::printf("{\"executions\": %llu, \"edges\": %zu, \"corpus\": %zu}\n", executions, CountEdges(),
              corpus.size());
  return 0;
}
