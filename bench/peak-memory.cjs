// Preloaded by command-line.mjs: writes the peak of the resident memory, in kB, to descriptor 3 at the end.
const { writeSync } = require('node:fs');

process.on('exit', () => {
  writeSync(3, String(process.resourceUsage().maxRSS));
});
