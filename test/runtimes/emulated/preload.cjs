// Required by each emulated Node before anything else: what it starts is emulated too, and the second
// witness is that of its own processor.

const { EMULATED_NODE, EMULATED_WITNESS } = process.env;
process.execPath = EMULATED_NODE;
const { dlopen } = process;
process.dlopen = (module, file, ...rest) => {
  const path = file.endsWith('/witness.node') ? EMULATED_WITNESS : file;
  return dlopen.call(process, module, path, ...rest);
};
