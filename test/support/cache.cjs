// What lanes take from npm and nobody wants in node_modules: other runtimes, package managers, binaries of
// other systems. Kept outside of the checkout, under the hash of the lock file that names them.

const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} = require('node:fs');
const { homedir } = require('node:os');
const { join } = require('node:path');

const { SOCKET_OPTIONS_CACHE, XDG_CACHE_HOME } = process.env;
exports.cache =
  SOCKET_OPTIONS_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'socket-options');

/** The node_modules of the lock file in `folder`; `flags`: for npm ci. */
exports.installed = function installed(name, folder, flags = [], env = process.env) {
  const lock = readFileSync(join(folder, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const home = join(exports.cache, `${name}-${hash}`);
  if (!existsSync(home)) {
    mkdirSync(exports.cache, { recursive: true });
    // Made beside it and renamed, so that a run that was cut short leaves nothing that looks whole.
    const part = mkdtempSync(`${home}.`);
    try {
      for (const file of ['package.json', 'package-lock.json']) {
        cpSync(join(folder, file), join(part, file));
      }
      const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      execFileSync('npm', ['ci', ...quiet, ...flags], { cwd: part, env, stdio: 'inherit' });
      renameSync(part, home);
    } catch (error) {
      // Another process may have been faster; its copy is as good.
      if (!existsSync(home)) throw error;
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
  }
  return join(home, 'node_modules');
};
