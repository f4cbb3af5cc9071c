// Finds the sockets behind handle objects of Node on Windows, where Node does not expose them.
//
// handle.ref() and handle.unref() call uv_ref() and uv_unref() on the uv handle behind the object.
// lib/ calls them in a pattern that is different for each object. The one uv handle of this event
// loop that followed a pattern is the one behind that object. So this needs no address, which two
// sockets may share, and no layout of a private structure.
//
// Both methods are JS that anyone may have replaced: they may close handles, open others, or call
// the search again. So each sample walks libuv's handles anew. An address from an earlier walk is
// only compared, never dereferenced. Whatever differs from what is expected ends in a refusal.

#include <algorithm>
#include <memory>

#include "addon.h"
#include "libuv.h"
#include "platform/platform.h"

namespace addon {

// A running search. There is one at a time: a call from within it is refused.
class HandleSearch {
 public:
  bool is_possible() const {
    return uv_.is_complete;
  }
  bool is_running() const {
    return is_running_;
  }

  void Begin(void* loop) {
    loop_ = loop;
    is_running_ = true;
    is_consistent_ = true;
    samples_ = 0;
    length_ = 0;
    Walk<&HandleSearch::Count>();
    if (length_ > room_) {
      room_ = length_ + length_ / 4;
      handles_.reset(new Tracked[room_]);
    }
    length_ = 0;
    Walk<&HandleSearch::Remember>();
  }

  // Call this after each step of the pattern except the last.
  void Sample() {
    SampleBy<&HandleSearch::Record>();
  }

  // Call this after the last step. Stores the sockets of the `count` objects, or a negative number,
  // and restores the ref state of each handle.
  void End(double* sockets, std::size_t count) {
    std::fill_n(sockets, count, kNotFound);
    sockets_ = sockets;
    count_ = count;
    // A pattern has two steps for each bit of an index. Otherwise it was broken off.
    std::size_t bits = 1;
    while ((std::size_t{1} << bits) < count) bits++;
    if (samples_ + 1 != 2 * bits) is_consistent_ = false;
    SampleBy<&HandleSearch::Finish>();
    is_running_ = false;
    if (!is_consistent_) std::fill_n(sockets, count, kNotFound);
  }

 private:
  static constexpr double kNotFound = -1;
  // The handle was found, but has no socket now.
  static constexpr double kNoSocket = -2;

  struct Tracked {
    Libuv::Handle* handle;
    bool was_ref;
    // A bit for each sample: 1 if the handle was unref-ed.
    std::uint64_t pattern;
  };

  template <void (HandleSearch::*Visit)(Libuv::Handle*)>
  void Walk() {
    uv_.walk(
        loop_,
        [](Libuv::Handle* handle, void* context) {
          auto* search = static_cast<HandleSearch*>(context);
          const int type = search->uv_.handle_get_type(handle);
          if (type == search->uv_.tcp || type == search->uv_.udp) (search->*Visit)(handle);
        },
        this);
  }

  template <void (HandleSearch::*Visit)(Libuv::Handle*)>
  void SampleBy() {
    next_ = 0;
    Walk<Visit>();
    samples_++;
    if (next_ != length_) is_consistent_ = false;
  }

  void Count(Libuv::Handle*) {
    length_++;
  }

  void Remember(Libuv::Handle* handle) {
    handles_[length_++] = {handle, IsRef(handle), 0};
  }

  void Record(Libuv::Handle* handle) {
    Tracked* tracked = FindNext(handle);
    if (tracked != nullptr) AddSample(tracked, IsRef(handle));
  }

  void Finish(Libuv::Handle* handle) {
    Tracked* tracked = FindNext(handle);
    if (tracked == nullptr) return;
    const bool is_ref = IsRef(handle);
    if (is_ref && !tracked->was_ref) uv_.unref(handle);
    if (!is_ref && tracked->was_ref) uv_.ref(handle);
    AddSample(tracked, is_ref);
    if (is_consistent_) Assign(handle, *tracked);
  }

  // Finds the entry of a handle. libuv keeps the order of handles, so the search goes on where the
  // last one ended: it skips handles that are gone, and does not find one that is new.
  Tracked* FindNext(Libuv::Handle* handle) {
    for (std::size_t i = next_; i < length_; i++) {
      if (handles_[i].handle != handle) continue;
      if (i != next_) is_consistent_ = false;
      next_ = i + 1;
      return &handles_[i];
    }
    is_consistent_ = false;
    return nullptr;
  }

  bool IsRef(Libuv::Handle* handle) const {
    return uv_.has_ref(handle) != 0;
  }

  static void AddSample(Tracked* tracked, bool is_ref) {
    tracked->pattern = tracked->pattern << 1 | (is_ref ? 0 : 1);
  }

  // The steps of the pattern come in pairs: a bit of the object's index, then its opposite. So a
  // handle that follows an object changes within each pair, and any other handle never changes.
  void Assign(Libuv::Handle* handle, const Tracked& tracked) {
    std::size_t index = 0;
    bool follows = true;
    bool stays = true;
    for (std::size_t sample = samples_ + 1; sample >= 2; sample -= 2) {
      const unsigned first = tracked.pattern >> (sample - 1) & 1;
      const unsigned second = tracked.pattern >> (sample - 2) & 1;
      if (first == second) follows = false;
      if (first != (tracked.was_ref ? 0 : 1) || first != second) stays = false;
      index = index << 1 | first;
    }
    if (stays) return;
    // Other code called ref() or unref() during the search: give up.
    if (!follows || index >= count_ || sockets_[index] != kNotFound) {
      is_consistent_ = false;
      return;
    }
    platform::Descriptor descriptor = 0;
    // It fails for a handle that is closing or not yet open.
    const bool has_socket = uv_.fileno(handle, &descriptor) == 0;
    sockets_[index] = has_socket ? static_cast<double>(descriptor) : kNoSocket;
  }

  const Libuv uv_;
  void* loop_ = nullptr;
  std::unique_ptr<Tracked[]> handles_;
  std::size_t length_ = 0;
  std::size_t room_ = 0;
  std::size_t next_ = 0;
  std::size_t samples_ = 0;
  double* sockets_ = nullptr;
  std::size_t count_ = 0;
  bool is_consistent_ = true;
  bool is_running_ = false;
};

namespace {

// The search that is running in an environment, or null.
HandleSearch* RunningSearch(const Environment* environment) {
  HandleSearch* search = environment->search;
  return search != nullptr && search->is_running() ? search : nullptr;
}

// beginSearch(): returns false where libuv is not available, or a search is running already.
napi_value BeginSearch(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment* environment = call.environment();
  if (environment->search == nullptr) environment->search = new HandleSearch();
  HandleSearch* search = environment->search;
  uv_loop_s* loop = nullptr;
  const bool begins = search->is_possible() && !search->is_running() &&
                      napi_get_uv_event_loop(env, &loop) == napi_ok && loop != nullptr;
  if (begins) search->Begin(loop);
  return call.Return(begins);
}

// sampleHandles()
napi_value SampleHandles(napi_env env, napi_callback_info info) {
  HandleSearch* search = RunningSearch(Call(env, info).environment());
  if (search != nullptr) search->Sample();
  return nullptr;
}

// endSearch(sockets): fills a Float64Array that has one element for each object.
napi_value EndSearch(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  HandleSearch* search = RunningSearch(call.environment());
  const Bytes sockets = call.TypedArray(0, napi_float64_array);
  if (search != nullptr && sockets.is_valid) {
    search->End(static_cast<double*>(sockets.data), sockets.length);
  }
  return nullptr;
}

}  // namespace

void DeleteSearch(Environment* environment) {
  delete environment->search;
}

void AddHandles(Napi::Object exports, Environment* environment) {
  Define(exports, environment,
         {
             {"beginSearch", BeginSearch},
             {"sampleHandles", SampleHandles},
             {"endSearch", EndSearch},
         });
}

}  // namespace addon
