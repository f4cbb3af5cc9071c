#include "win32_calls.h"

namespace platform {

const Win32Calls kWin32Calls = {::setsockopt, ::getsockopt, ::WSAIoctl};

}  // namespace platform
