// Packs the package as it is published.

const { execFileSync } = require('node:child_process');
const { join } = require('node:path');

/** Packs into `folder`. Returns the path of the tarball and the paths of the files in it. */
exports.pack = function pack(folder) {
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: join(__dirname, '../..'),
    encoding: 'utf8',
  });
  // The output of prepack precedes the JSON.
  const [{ filename, files }] = JSON.parse(output.slice(output.indexOf('[\n')));
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) };
};
