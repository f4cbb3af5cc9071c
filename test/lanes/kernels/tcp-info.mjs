// Makes a program that prints the TCP_INFO of descriptor 3, for the header of one kernel: the compiler knows the places of
// the members, and the names come from that header.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `headers` is the folder that the package linux-libc-dev of that kernel was unpacked in. */
export function buildTcpInfoReader(headers, output) {
  const include = join(headers, 'usr/include');
  const [, body] = /^struct tcp_info \{(.*?)^\};/ms.exec(
    readFileSync(join(include, 'linux/tcp.h'), 'utf8'),
  );
  const withoutComments = body.replaceAll(/\/\*.*?\*\//gs, '');
  const names = [...withoutComments.matchAll(/\b(tcpi_\w+)\s*(?::|;|,)/g)].map(([, name]) => name);
  const prints = names.map(
    (name, index) =>
      `  printf("${index === 0 ? '' : ','}\\"${name}\\":%llu", (unsigned long long)info.${name});`,
  );
  const source = `${output}.c`;
  writeFileSync(
    source,
    `#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
int getsockopt(int, int, int, void*, unsigned int*);
int main(void) {
  union { struct tcp_info info; char bytes[1024]; } all;
  unsigned int length = sizeof(all);
  memset(&all, 0, sizeof(all));
  if (getsockopt(3, 6, TCP_INFO, &all, &length) != 0) { perror("getsockopt"); return 1; }
  struct tcp_info info = all.info;
  printf("{\\"length\\":%u,\\"size\\":%zu,\\"members\\":{", length, sizeof(info));
${prints.join('\n')}
  printf("}}\\n");
}
`,
  );
  execFileSync('gcc', [
    ...['-static', '-O1', '-isystem', include, '-isystem', join(include, 'x86_64-linux-gnu')],
    ...['-o', output, source],
  ]);
}
