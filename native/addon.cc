// The module: what an environment has, the functions of the addon, and how they read arguments.
// JS values come in, functions of platform.h are called, a number goes out. Nothing in native/
// outside of platform/ knows an option or a system.

#include "addon.h"

#include <cstring>

#include "platform/platform.h"

namespace addon {

Call::Call(napi_env env, napi_callback_info info) : env_(env) {
  std::size_t count = kMaxArguments;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, arguments_, nullptr, &data);
  environment_ = static_cast<Environment*>(data);
}

std::int32_t Call::Int32(std::size_t index) const {
  std::int32_t value = 0;
  napi_get_value_int32(env_, arguments_[index], &value);
  return value;
}

std::uint32_t Call::Uint32(std::size_t index) const {
  std::uint32_t value = 0;
  napi_get_value_uint32(env_, arguments_[index], &value);
  return value;
}

std::int64_t Call::Int64(std::size_t index) const {
  std::int64_t value = 0;
  napi_get_value_int64(env_, arguments_[index], &value);
  return value;
}

bool Call::Boolean(std::size_t index) const {
  bool value = false;
  napi_get_value_bool(env_, arguments_[index], &value);
  return value;
}

Bytes Call::TypedArray(std::size_t index, napi_typedarray_type type) const {
  napi_typedarray_type found = type;
  Bytes bytes;
  bytes.is_valid = napi_get_typedarray_info(env_, arguments_[index], &found, &bytes.length,
                                            &bytes.data, nullptr, nullptr) == napi_ok &&
                   found == type;
  return bytes.is_valid ? bytes : Bytes();
}

napi_value Call::Return(int number) const {
  napi_value value = nullptr;
  napi_create_int32(env_, number, &value);
  return value;
}

napi_value Call::Return(bool boolean) const {
  napi_value value = nullptr;
  napi_get_boolean(env_, boolean, &value);
  return value;
}

void Define(Napi::Object exports, Environment* environment,
            std::initializer_list<Function> functions) {
  for (const Function& function : functions) {
    napi_value value = nullptr;
    napi_create_function(exports.Env(), function.name, NAPI_AUTO_LENGTH, function.callback,
                         environment, &value);
    napi_set_named_property(exports.Env(), exports, function.name, value);
  }
}

namespace {

void SetInteger(napi_env env, napi_value object, const char* name, int integer) {
  napi_value value = nullptr;
  napi_create_int32(env, integer, &value);
  napi_set_named_property(env, object, name, value);
}

// constants(): { values, levels }, each by the names of the headers. Called at most once, and not
// while the addon loads: it would take a tenth of that time.
napi_value Constants(napi_env env, napi_callback_info) {
  napi_value values = nullptr;
  napi_value levels = nullptr;
  napi_value both = nullptr;
  napi_create_object(env, &values);
  napi_create_object(env, &levels);
  napi_create_object(env, &both);
  for (std::size_t i = 0; i < platform::kConstantCount; i++) {
    const platform::Constant& constant = platform::kConstants[i];
    SetInteger(env, values, constant.name, constant.value);
    if (constant.level != platform::kNoLevel) {
      SetInteger(env, levels, constant.name, constant.level);
    }
  }
  napi_set_named_property(env, both, "values", values);
  napi_set_named_property(env, both, "levels", levels);
  return both;
}

// readSetting(length): the name is in the scratch buffer; its text replaces it there.
napi_value ReadSetting(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  char* text = reinterpret_cast<char*>(call.environment()->scratch->words);
  char name[256];
  const std::uint32_t length = call.Uint32(0);
  if (length >= sizeof(name)) return call.Return(kBadArgument);
  std::memcpy(name, text, length);
  name[length] = '\0';
  return call.Return(platform::ReadSetting(name, text, kWords * sizeof(std::int32_t)));
}

void DeleteEnvironment(Napi::Env env, Environment* environment) {
  napi_delete_reference(env, environment->buffer);
  if constexpr (platform::kFindsHandles) DeleteSearch(environment);
  delete environment;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Environment* environment = new Environment();
  env.SetInstanceData<Environment, DeleteEnvironment>(environment);
  napi_value buffer = nullptr;
  void* scratch = nullptr;
  // Without this memory no function would work. The pending exception makes require() throw.
  if (napi_create_arraybuffer(env, kScratchBytes + kTcpInfoRoom, &scratch, &buffer) != napi_ok) {
    return exports;
  }
  environment->scratch = static_cast<Scratch*>(scratch);
  napi_create_reference(env, buffer, 1, &environment->buffer);
  napi_set_named_property(env, exports, "scratch", buffer);

  Define(exports, environment,
         {
             {"constants", Constants},
             {"readSetting", ReadSetting},
         });
  AddOptions(exports, environment);
  AddSockets(exports, environment);
  AddTcpInfo(exports, environment);
  AddConnections(exports, environment);
  if constexpr (platform::kFindsHandles) AddHandles(exports, environment);
  if constexpr (platform::kHasSubflows) AddSubflows(exports, environment);
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)

}  // namespace addon
