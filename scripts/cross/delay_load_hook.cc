// The addon's Node-API functions are imported from "node.exe", on their first call. Here that name
// stands for the program that runs, which Electron and others call differently, or for the library
// that has Node in it. node-gyp does the same, with a hook that only MSVC compiles.

#include <windows.h>

#include <delayimp.h>

namespace {

FARPROC WINAPI LoadHost(unsigned event, PDelayLoadInfo info) {
  if (event != dliNotePreLoadLibrary || lstrcmpiA(info->szDll, "node.exe") != 0) return nullptr;
  HMODULE host = GetModuleHandleW(L"libnode.dll");
  if (host == nullptr) host = GetModuleHandleW(nullptr);
  return reinterpret_cast<FARPROC>(host);
}

}  // namespace

PfnDliHook __pfnDliNotifyHook2 = LoadHost;
