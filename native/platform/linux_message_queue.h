// The messages that linux_watch.cc keeps until they are read.

#ifndef SOCKET_OPTIONS_LINUX_MESSAGE_QUEUE_H_
#define SOCKET_OPTIONS_LINUX_MESSAGE_QUEUE_H_

#include <cstdlib>
#include <cstring>

#include <linux/netlink.h>

namespace platform {

// A message of the kernel has about 400 bytes. Later kernels may add to it.
constexpr std::size_t kRoomPerMessage = 512;
constexpr std::size_t kLongestMessage = 16384;

// Messages in the order of their arrival: at most `limit`, in memory of a fixed size.
class MessageQueue {
 public:
  explicit MessageQueue(std::size_t limit)
      : limit_(limit), room_(limit * kRoomPerMessage + kLongestMessage) {
  }
  ~MessageQueue() {
    std::free(bytes_);
  }
  MessageQueue(const MessageQueue&) = delete;
  MessageQueue& operator=(const MessageQueue&) = delete;

  bool Allocate() {
    bytes_ = static_cast<char*>(std::malloc(room_));
    return bytes_ != nullptr;
  }

  // Adds a message of `length` bytes. Returns false if the queue is full.
  bool Push(const char* message, std::size_t length) {
    const std::size_t size = NLMSG_ALIGN(length);
    if (room_ - end_ < size && begin_ > 0) {
      std::memmove(bytes_, bytes_ + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (count_ == limit_ || room_ - end_ < size) return false;
    std::memcpy(bytes_ + end_, message, length);
    std::memset(bytes_ + end_ + length, 0, size - length);
    end_ += size;
    count_++;
    return true;
  }

  // Moves whole messages to `to`, as many as fit. Returns how many bytes that were.
  std::size_t Pop(char* to, std::size_t room) {
    std::size_t length = 0;
    for (; begin_ < end_; count_--) {
      nlmsghdr header{};
      std::memcpy(&header, bytes_ + begin_, sizeof(header));
      const std::size_t size = NLMSG_ALIGN(header.nlmsg_len);
      if (length + size > room) break;
      std::memcpy(to + length, bytes_ + begin_, size);
      length += size;
      begin_ += size;
    }
    if (begin_ == end_) begin_ = end_ = 0;
    return length;
  }

 private:
  const std::size_t limit_;
  const std::size_t room_;
  char* bytes_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t count_ = 0;
};

}  // namespace platform

#endif  // SOCKET_OPTIONS_LINUX_MESSAGE_QUEUE_H_
