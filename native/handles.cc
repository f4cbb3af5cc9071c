// Which sockets are behind handle objects of Node, where Node does not tell: on Windows.
//
// handle.ref() and handle.unref() are uv_ref() and uv_unref() of the handle's own uv handle. So
// lib/handles.ts calls them in a pattern that is different for each object, and the one uv handle
// of this environment's loop that has followed a pattern is the one behind that object. This needs
// no address, which two sockets may share, and no layout of a private structure.
//
// Both calls are JS, and anybody's: they may close handles, open others, or come back here. So
// every look at libuv is a walk of its own; an address of a handle from before such a call is only
// compared, never followed; and whatever is not exactly as expected is a refusal.

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "addon.h"
#include "platform.h"

namespace addon {
namespace {

// libuv, as the program that runs exports it. No header of it is needed: only addresses and numbers
// cross, and no layout. Looked up with the first search, so that no runtime fails to load the addon
// for want of a function.
struct Uv {
  using Handle = const void;
  using Visit = void (*)(Handle* handle, void* context);

  void (*walk)(void* loop, Visit visit, void* context);
  int (*type_of)(Handle* handle);
  const char* (*type_name)(int type);
  int (*has_ref)(Handle* handle);
  void (*ref)(Handle* handle);
  void (*unref)(Handle* handle);
  int (*fileno)(Handle* handle, platform::Descriptor* descriptor);
  int (*tcp_name[2])(Handle* handle, void* address, int* length);
  int (*udp_name[2])(Handle* handle, void* address, int* length);
  int tcp = 0;
  int udp = 0;
  bool whole = true;

  Uv() {
    Find("uv_walk", &walk);
    Find("uv_handle_get_type", &type_of);
    Find("uv_handle_type_name", &type_name);
    Find("uv_has_ref", &has_ref);
    Find("uv_ref", &ref);
    Find("uv_unref", &unref);
    Find("uv_fileno", &fileno);
    Find("uv_tcp_getsockname", &tcp_name[0]);
    Find("uv_tcp_getpeername", &tcp_name[1]);
    Find("uv_udp_getsockname", &udp_name[0]);
    Find("uv_udp_getpeername", &udp_name[1]);
    // By name, for a later libuv may number its types otherwise.
    for (int type = 1; whole && type < 64; type++) {
      const char* name = type_name(type);
      if (name == nullptr) continue;
      if (std::strcmp(name, "tcp") == 0) tcp = type;
      if (std::strcmp(name, "udp") == 0) udp = type;
    }
    whole = whole && tcp != 0 && udp != 0;
  }

  template <typename Function>
  void Find(const char* name, Function* function) {
    const platform::HostFunction found = platform::FindHostFunction(name);
    *function = reinterpret_cast<Function>(found);
    whole = whole && found != nullptr;
  }
};

}  // namespace

// A search under way. One at a time: a call from within it is refused.
class Search {
 public:
  bool possible() const {
    return uv_.whole;
  }
  bool under_way() const {
    return under_way_;
  }

  void Begin(void* loop) {
    loop_ = loop;
    under_way_ = true;
    same_ = true;
    looks_ = 0;
    StartWalk();
    Walk<&Search::Count>();
    if (at_ > room_) {
      room_ = at_ + at_ / 4;
      handles_.reset(new Seen[room_]);
    }
    length_ = 0;
    Walk<&Search::Remember>();
  }

  // Once after each step of the pattern, but for the last.
  void Look() {
    StartWalk();
    Walk<&Search::Observe>();
    EndLook();
  }

  // After the last step. Each of the `count` objects has its socket in `sockets` then, or -1; and
  // every handle the ref bit that it had.
  void End(double* sockets, std::size_t count) {
    std::fill_n(sockets, count, kNone);
    sockets_ = sockets;
    count_ = count;
    // As many steps as the objects need, or else the pattern was broken off.
    std::size_t bits = 1;
    while ((std::size_t{1} << bits) < count) bits++;
    if (looks_ + 1 != 2 * bits) same_ = false;
    StartWalk();
    Walk<&Search::Finish>();
    EndLook();
    under_way_ = false;
    if (!same_) std::fill_n(sockets, count, kNone);
  }

 private:
  static constexpr double kNone = -1;
  // Of an object whose handle was found, and has no socket now.
  static constexpr double kNoSocket = -2;
  // sizeof(sockaddr_storage), on every system.
  static constexpr int kNameRoom = 128;

  struct Seen {
    Uv::Handle* handle;
    bool ref;
    // A bit for each look: 1 where the handle was unref-ed.
    std::uint64_t pattern;
  };

  template <void (Search::*Visit)(Uv::Handle*)>
  void Walk() {
    uv_.walk(
        loop_,
        [](Uv::Handle* handle, void* context) {
          Search* search = static_cast<Search*>(context);
          const int type = search->uv_.type_of(handle);
          if (type == search->uv_.tcp || type == search->uv_.udp) (search->*Visit)(handle);
        },
        this);
  }

  void StartWalk() {
    at_ = 0;
  }
  void EndLook() {
    looks_++;
    if (at_ != length_) same_ = false;
  }

  void Count(Uv::Handle*) {
    at_++;
  }

  void Remember(Uv::Handle* handle) {
    handles_[length_++] = {handle, IsRef(handle), 0};
  }

  void Observe(Uv::Handle* handle) {
    Seen* seen = NextSeen(handle);
    if (seen != nullptr) seen->pattern = seen->pattern << 1 | (IsRef(handle) ? 0 : 1);
  }

  void Finish(Uv::Handle* handle) {
    Seen* seen = NextSeen(handle);
    if (seen == nullptr) return;
    const bool ref = IsRef(handle);
    if (ref && !seen->ref) uv_.unref(handle);
    if (!ref && seen->ref) uv_.ref(handle);
    seen->pattern = seen->pattern << 1 | (ref ? 0 : 1);
    if (same_) Assign(handle, *seen);
  }

  // What is remembered of a handle. libuv keeps them in order, so those that are gone are passed
  // over, and one that is new is not found.
  Seen* NextSeen(Uv::Handle* handle) {
    for (std::size_t i = at_; i < length_; i++) {
      if (handles_[i].handle != handle) continue;
      if (i != at_) same_ = false;
      at_ = i + 1;
      return &handles_[i];
    }
    same_ = false;
    return nullptr;
  }

  bool IsRef(Uv::Handle* handle) const {
    return uv_.has_ref(handle) != 0;
  }

  // The steps of the pattern come in pairs: a bit of the object's index, then its opposite. So a
  // handle that follows is seen both ways for each bit, and one that does not is seen as it was.
  void Assign(Uv::Handle* handle, const Seen& seen) {
    std::size_t index = 0;
    bool follows = true;
    bool stays = true;
    for (std::size_t look = looks_ + 1; look >= 2; look -= 2) {
      const unsigned first = seen.pattern >> (look - 1) & 1;
      const unsigned second = seen.pattern >> (look - 2) & 1;
      if (first == second) follows = false;
      if (first != (seen.ref ? 0 : 1) || first != second) stays = false;
      index = index << 1 | first;
    }
    if (stays) return;
    // Two that follow one object, or one that follows in part: hands that are not ours.
    if (!follows || index >= count_ || sockets_[index] != kNone) {
      same_ = false;
      return;
    }
    platform::Descriptor descriptor = 0;
    // libuv has an error for a handle that is closing, or was not opened yet.
    const bool told = uv_.fileno(handle, &descriptor) == 0 && SameNames(handle, descriptor);
    sockets_[index] = told ? static_cast<double>(descriptor) : kNoSocket;
  }

  // The second witness: what the kernel calls the two ends of the socket is what libuv calls them.
  bool SameNames(Uv::Handle* handle, platform::Socket socket) const {
    const auto& names = uv_.type_of(handle) == uv_.tcp ? uv_.tcp_name : uv_.udp_name;
    for (const bool peer : {false, true}) {
      unsigned char told[kNameRoom] = {};
      unsigned char held[kNameRoom] = {};
      int told_length = sizeof(told);
      int held_length = sizeof(held);
      const bool is_told = names[peer ? 1 : 0](handle, told, &told_length) == 0;
      if (is_told && (told_length < 0 || told_length > kNameRoom)) return false;
      const bool is_held = platform::GetName(socket, peer, held, &held_length) == 0;
      if (is_told != is_held) return false;
      if (is_told && (told_length != held_length || !std::equal(told, told + told_length, held)))
        return false;
    }
    return true;
  }

  const Uv uv_;
  void* loop_ = nullptr;
  std::unique_ptr<Seen[]> handles_;
  std::size_t length_ = 0;
  std::size_t room_ = 0;
  std::size_t at_ = 0;
  std::size_t looks_ = 0;
  double* sockets_ = nullptr;
  std::size_t count_ = 0;
  bool same_ = true;
  bool under_way_ = false;
};

namespace {

// beginSearch(): false where there is no libuv to search in, or a search is under way already.
napi_value BeginSearch(napi_env env, napi_callback_info info) {
  Environment* environment = Call(env, info).environment;
  if (environment->search == nullptr) environment->search = new Search();
  Search* search = environment->search;
  uv_loop_s* loop = nullptr;
  const bool begins = search->possible() && !search->under_way() &&
                      napi_get_uv_event_loop(env, &loop) == napi_ok && loop != nullptr;
  if (begins) search->Begin(loop);
  napi_value answer = nullptr;
  napi_get_boolean(env, begins, &answer);
  return answer;
}

Search* SearchUnderWay(const Environment* environment) {
  Search* search = environment->search;
  return search != nullptr && search->under_way() ? search : nullptr;
}

// lookAtHandles()
napi_value LookAtHandles(napi_env env, napi_callback_info info) {
  Search* search = SearchUnderWay(Call(env, info).environment);
  if (search != nullptr) search->Look();
  return nullptr;
}

// endSearch(sockets): fills a Float64Array, whose length is that of the objects.
napi_value EndSearch(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Search* search = SearchUnderWay(call.environment);
  napi_typedarray_type type;
  std::size_t count = 0;
  void* sockets = nullptr;
  if (search == nullptr ||
      napi_get_typedarray_info(env, call.arguments[0], &type, &count, &sockets, nullptr, nullptr) !=
          napi_ok ||
      type != napi_float64_array) {
    return nullptr;
  }
  search->End(static_cast<double*>(sockets), count);
  return nullptr;
}

}  // namespace

void EndOfSearches(Environment* environment) {
  delete environment->search;
}

void AddHandles(Napi::Object exports, Environment* environment) {
  Define(exports, environment,
         {
             {"beginSearch", BeginSearch},
             {"lookAtHandles", LookAtHandles},
             {"endSearch", EndSearch},
         });
}

}  // namespace addon
