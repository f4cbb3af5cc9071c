// Installs packages of the lanes (other runtimes, package managers, binaries of other systems) outside of the
// checkout, in a folder named after the hash of their lock file.

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

/** Installs the lock file in `folder` with `npm ci` and returns its node_modules. `flags` are for npm. */
exports.installed = function installed(name, folder, flags = [], env = process.env) {
  const lock = readFileSync(join(folder, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const home = join(exports.cache, `${name}-${hash}`);
  if (!existsSync(home)) {
    mkdirSync(exports.cache, { recursive: true });
    // Installed next to it and then renamed, so that an interrupted run leaves no incomplete folder.
    const part = mkdtempSync(`${home}.`);
    try {
      for (const file of ['package.json', 'package-lock.json']) {
        cpSync(join(folder, file), join(part, file));
      }
      const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      execFileSync('npm', ['ci', ...quiet, ...flags], { cwd: part, env, stdio: 'inherit' });
      renameSync(part, home);
    } catch (error) {
      // Another process may have been faster: its copy is used.
      if (!existsSync(home)) throw error;
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
  }
  return join(home, 'node_modules');
};
