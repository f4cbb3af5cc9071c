// Another Windows, for the tests: that whose build number SOCKET_OPTIONS_TEST_WINDOWS names. Linked
// into the addon in the place of native/platform/win32_calls.cc.
//
// Which build has what, and how the structures look, is written here from Microsoft's documents and
// headers, and not from the code under test. What Wine has goes on to Wine, where an option is of a
// build that is newer than the one named, it is refused as Windows refuses it; TCP_MAXRT,
// TCP_MAXRTMS and SIO_TCP_INFO, which Wine lacks, are kept here.

#include <winsock2.h>

#include <ws2tcpip.h>

#include <mstcpip.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "../../../native/platform/win32_calls.h"

namespace {

// ws2ipdef.h
constexpr int kTcpKeepIdle = 3;
constexpr int kTcpMaxRt = 5;
constexpr int kTcpMaxRtMs = 14;
constexpr int kTcpKeepCount = 16;
constexpr int kTcpKeepInterval = 17;

// The builds that brought something, by the names that people know.
constexpr int k1607 = 14393;
constexpr int k1703 = 15063;
constexpr int k1709 = 16299;
constexpr int k1809 = 17763;
constexpr int k11 = 22000;

int Build() {
  // Tests use it from one thread.
  static int build = 0;
  if (build == 0) {
    char text[16] = "";
    GetEnvironmentVariableA("SOCKET_OPTIONS_TEST_WINDOWS", text, sizeof(text));
    build = std::atoi(text);
  }
  return build;
}

int Refuse(int error) {
  WSASetLastError(error);
  return SOCKET_ERROR;
}

// The two times of a socket, under its number. A number that is given to another socket keeps them,
// which the tests do not come across.
struct Times {
  SOCKET socket;
  DWORD seconds;
  DWORD milliseconds;
};
// What a new socket has. Of Windows the number is not documented: here it is one that nobody would
// take for it.
constexpr Times kNew = {INVALID_SOCKET, 21, 21007};

Times* TimesOf(SOCKET socket) {
  static Times all[256];
  static std::size_t count = 0;
  for (std::size_t i = 0; i < count; i++) {
    if (all[i].socket == socket) return &all[i];
  }
  if (count == sizeof(all) / sizeof(all[0])) std::abort();
  all[count] = kNew;
  all[count].socket = socket;
  return &all[count++];
}

bool IsKnown(int option) {
  switch (option) {
    case kTcpKeepIdle:
    case kTcpKeepInterval:
      return Build() >= k1709;
    case kTcpKeepCount:
      return Build() >= k1703;
    case kTcpMaxRtMs:
      return Build() >= k1607;
    default:
      return true;
  }
}

// 0, or the error: TCP's own options are of stream sockets only.
int CheckStream(SOCKET socket) {
  int type = 0;
  int length = sizeof(type);
  if (getsockopt(socket, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &length) != 0) {
    return WSAGetLastError();
  }
  return type == SOCK_STREAM ? 0 : WSAENOPROTOOPT;
}

// Where a time is kept, or null with the error set.
DWORD* TimeOf(SOCKET socket, int option, int length) {
  const int error = CheckStream(socket);
  if (error != 0 || length < static_cast<int>(sizeof(DWORD))) {
    WSASetLastError(error != 0 ? error : WSAEFAULT);
    return nullptr;
  }
  Times* times = TimesOf(socket);
  return option == kTcpMaxRt ? &times->seconds : &times->milliseconds;
}

int WSAAPI SetOption(SOCKET socket, int level, int option, const char* value, int length) {
  if (level != IPPROTO_TCP) return setsockopt(socket, level, option, value, length);
  if (!IsKnown(option)) return Refuse(WSAENOPROTOOPT);
  if (option != kTcpMaxRt && option != kTcpMaxRtMs) {
    return setsockopt(socket, level, option, value, length);
  }
  DWORD* time = TimeOf(socket, option, length);
  if (time == nullptr) return SOCKET_ERROR;
  std::memcpy(time, value, sizeof(*time));
  return 0;
}

int WSAAPI GetOption(SOCKET socket, int level, int option, char* value, int* length) {
  if (level != IPPROTO_TCP) return getsockopt(socket, level, option, value, length);
  if (!IsKnown(option)) return Refuse(WSAENOPROTOOPT);
  if (option != kTcpMaxRt && option != kTcpMaxRtMs) {
    return getsockopt(socket, level, option, value, length);
  }
  const DWORD* time = TimeOf(socket, option, *length);
  if (time == nullptr) return SOCKET_ERROR;
  std::memcpy(value, time, sizeof(*time));
  *length = sizeof(*time);
  return 0;
}

// mstcpip.h
struct TcpInfo {
  std::int32_t State;
  ULONG Mss;
  ULONG64 ConnectionTimeMs;
  BOOLEAN TimestampsEnabled;
  ULONG RttUs;
  ULONG MinRttUs;
  ULONG BytesInFlight;
  ULONG Cwnd;
  ULONG SndWnd;
  ULONG RcvWnd;
  ULONG RcvBuf;
  ULONG64 BytesOut;
  ULONG64 BytesIn;
  ULONG BytesReordered;
  ULONG BytesRetrans;
  ULONG FastRetrans;
  ULONG DupAcksIn;
  ULONG TimeoutEpisodes;
  UCHAR SynRetrans;
};
static_assert(sizeof(TcpInfo) == 88, "TCP_INFO_v0");

struct TcpInfo1 : TcpInfo {
  ULONG SndLimTransRwin;
  ULONG SndLimTimeRwin;
  ULONG64 SndLimBytesRwin;
  ULONG SndLimTransCwnd;
  ULONG SndLimTimeCwnd;
  ULONG64 SndLimBytesCwnd;
  ULONG SndLimTransSnd;
  ULONG SndLimTimeSnd;
  ULONG64 SndLimBytesSnd;
};
static_assert(sizeof(TcpInfo1) == 136, "TCP_INFO_v1");

struct TcpInfo2 : TcpInfo1 {
  ULONG OutOfOrderPktsIn;
  BOOLEAN EcnNegotiated;
  ULONG EceAcksIn;
  ULONG PtoEpisodes;
};
static_assert(sizeof(TcpInfo2) == 152, "TCP_INFO_v2");

int ReadTcpInfo(SOCKET socket, DWORD version, void* out, DWORD room, DWORD* returned) {
  static constexpr int kSince[] = {k1703, k1809, k11};
  static constexpr DWORD kSizes[] = {sizeof(TcpInfo), sizeof(TcpInfo1), sizeof(TcpInfo2)};
  if (version > 2 || Build() < kSince[version]) return Refuse(WSAEOPNOTSUPP);
  const int error = CheckStream(socket);
  if (error != 0) return Refuse(error == WSAENOPROTOOPT ? WSAEOPNOTSUPP : error);
  if (room < kSizes[version]) return Refuse(WSAEFAULT);
  TcpInfo2 info = {};
  info.State = 4;  // TCPSTATE_ESTABLISHED
  info.Mss = 1448;
  info.ConnectionTimeMs = 61001;
  info.RttUs = 12345;
  info.MinRttUs = 9000;
  info.BytesInFlight = 2896;
  info.Cwnd = 14480;
  info.BytesOut = 5000000000;
  info.TimeoutEpisodes = 3;
  info.SndLimTimeRwin = 77;
  info.OutOfOrderPktsIn = 6;
  std::memcpy(out, &info, kSizes[version]);
  *returned = kSizes[version];
  return 0;
}

int WSAAPI Control(SOCKET socket, DWORD code, void* in, DWORD in_length, void* out,
                   DWORD out_length, DWORD* returned, WSAOVERLAPPED* overlapped,
                   LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
  if (code == _WSAIORW(IOC_VENDOR, 39)) {  // SIO_TCP_INFO
    DWORD version = 0;
    if (in_length < sizeof(version)) return Refuse(WSAEFAULT);
    std::memcpy(&version, in, sizeof(version));
    return ReadTcpInfo(socket, version, out, out_length, returned);
  }
  return WSAIoctl(socket, code, in, in_length, out, out_length, returned, overlapped, routine);
}

}  // namespace

namespace platform {

const Win32Calls kWin32Calls = {SetOption, GetOption, Control};

}  // namespace platform
