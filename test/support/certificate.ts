// Makes a new key and certificate for each run with openssl(1), or takes those in the folder that
// TEST_CERTIFICATE names.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function certificate(): { key: string; cert: string } {
  const ready = process.env.TEST_CERTIFICATE;
  if (ready !== undefined) return read(ready);
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'],
      ],
      { stdio: 'ignore' },
    );
    return read(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function read(folder: string): { key: string; cert: string } {
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');
  return { key: text('key.pem'), cert: text('cert.pem') };
}
