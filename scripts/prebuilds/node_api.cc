// Windows: the addon's Node-API functions, from whatever program runs it. An import table names the
// file that it imports from, which is not node.exe in Electron and others; so there is none, and
// its slots are here, filled when the addon is loaded. node-gyp has a hook for the same purpose,
// which only MSVC compiles.

#include <windows.h>

// EACH_FUNCTION(DO): DO(name) for each function that the addon's objects take; written by
// build.mjs.
#include "functions.h"

extern "C" {
#define SLOT(name) FARPROC __imp_##name = nullptr;
EACH_FUNCTION(SLOT)
#undef SLOT
}

// The constructors of static objects, which the linker collects: -1, their addresses, null.
extern "C" void (*__CTOR_LIST__[])();  // NOLINT(bugprone-reserved-identifier,cert-dcl*): lld's name

namespace {

struct Function {
  const char* name;
  FARPROC* slot;
};

constexpr Function kFunctions[] = {
#define ENTRY(name) {#name, &__imp_##name},
    EACH_FUNCTION(ENTRY)
#undef ENTRY
};

void Complain(const char* name) {
  const HANDLE out = GetStdHandle(STD_ERROR_HANDLE);
  const char* const words[] = {"socket-options: this program does not have ", name,
                               ", a function of Node-API\r\n"};
  DWORD written;
  for (const char* word : words) {
    WriteFile(out, word, static_cast<DWORD>(lstrlenA(word)), &written, nullptr);
  }
}

}  // namespace

// What it refuses, process.dlopen() throws as an error that says only that it was refused.
extern "C" BOOL WINAPI DllMain(HINSTANCE, DWORD reason, LPVOID) {
  if (reason != DLL_PROCESS_ATTACH) return TRUE;
  HMODULE host = GetModuleHandleW(L"libnode.dll");
  if (host == nullptr) host = GetModuleHandleW(nullptr);
  for (const Function& function : kFunctions) {
    *function.slot = GetProcAddress(host, function.name);
    if (*function.slot == nullptr) {
      Complain(function.name);
      return FALSE;
    }
  }
  // A C runtime would do so, and there is none.
  for (auto constructor = __CTOR_LIST__ + 1; *constructor != nullptr; constructor++)
    (*constructor)();
  return TRUE;
}
