// Node's own tests, from Debian's source package of nodejs. Only its test/ is kept, in the cache folder.
//
// apt gets a configuration of its own here, because few systems are set to source packages, or to this release.

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache } from '../../support/cache.cjs';

/** What the tests need of the source package. */
const FOLDERS = ['common', 'fixtures', 'parallel', 'sequential'];

/** The mirror that apt of this system is set to. */
function mirror() {
  const program = fileURLToPath(new URL('../../support/debian-mirror.sh', import.meta.url));
  return execFileSync(program).toString().trim();
}

/** Downloads the source package of nodejs of a Debian release into `folder`; returns the name of its archive. */
function download(release, folder) {
  for (const name of ['lists/partial', 'archives/partial', 'parts']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, 'sources.list'), `deb-src ${mirror()} ${release} main\n`);
  const settings = {
    'Dir::Cache': folder,
    'Dir::Cache::archives': join(folder, 'archives'),
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': join(folder, 'parts'),
    // Debian's keys of all its releases.
    'Dir::Etc::trustedparts': '/usr/share/keyrings',
    // The user of apt may not write to the cache folder.
    'APT::Sandbox::User': 'root',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  writeFileSync(join(folder, 'apt.conf'), lines.join(''));
  const apt = (...args) =>
    execFileSync('apt-get', ['-c', join(folder, 'apt.conf'), '-qq', ...args], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  apt('update');
  apt('source', '--download-only', '--only-source', '--tar-only', 'nodejs');
  return readdirSync(folder).find((name) => /^nodejs_.*\.orig\.tar\.xz$/.test(name));
}

/**
 * Returns the folder that has Node's test/ as a Debian release has it, and the version of Node that it belongs to.
 * `wanted` is the version of the Node that runs the tests.
 */
export function nodeTests(release, wanted) {
  const home = join(cache, `node-tests-${release}-${wanted}`);
  if (!existsSync(home)) {
    mkdirSync(cache, { recursive: true });
    // Made next to it and then renamed, so that an interrupted run leaves no incomplete folder.
    const part = mkdtempSync(`${home}.`);
    try {
      const archive = download(release, part);
      const version = /^nodejs_(\d+\.\d+\.\d+)/.exec(archive)[1];
      const target = join(part, 'unpacked', version);
      mkdirSync(target, { recursive: true });
      const members = FOLDERS.map((name) => `*/test/${name}/*`);
      execFileSync('tar', [
        ...['-xJf', join(part, archive), '-C', target],
        ...['--strip-components=1', '--no-same-owner', '--wildcards', ...members],
      ]);
      renameSync(join(part, 'unpacked'), home);
    } catch (error) {
      // Another process may have been faster: its copy is used.
      if (!existsSync(home)) throw error;
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
  }
  const [version] = readdirSync(home);
  return { folder: join(home, version), version };
}
