// Required by each emulated Node before anything else: what it starts is emulated too, and the second
// referenceAddon is that of its own processor.

const { EMULATED_NODE, EMULATED_REFERENCE_ADDON } = process.env;
process.execPath = EMULATED_NODE;
const { dlopen } = process;
process.dlopen = (module, file, ...rest) => {
  const path = file.endsWith('/reference_addon.node') ? EMULATED_REFERENCE_ADDON : file;
  return dlopen.call(process, module, path, ...rest);
};
