// Required first by each emulated Node: the processes that it starts are emulated too, and the reference addon is the
// one for its processor.

const { EMULATED_NODE, EMULATED_REFERENCE_ADDON } = process.env;
process.execPath = EMULATED_NODE;
const { dlopen } = process;
process.dlopen = (module, file, ...rest) => {
  const path = file.endsWith('/reference_addon.node') ? EMULATED_REFERENCE_ADDON : file;
  return dlopen.call(process, module, path, ...rest);
};
