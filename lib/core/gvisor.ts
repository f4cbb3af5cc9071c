// Recognises gVisor, which implements the system calls of Linux in a process of its own.

import { release, version } from 'node:os';

/**
 * What uname(2) returns in every gVisor: pkg/sentry/kernel/version/version.go. The release was `4.4.0` until April 2026
 * and is `4.19.0-gvisor` since. A Linux 4.4.0 was built at another second.
 */
const VERSION = '#1 SMP Sun Jan 10 15:06:54 PST 2016';
const RELEASE = /^4\.4\.0$|-gvisor$/;

/** Whether uname(2) returned this release and version in gVisor. */
export function isGvisorKernel(release: string, version: string): boolean {
  return version === VERSION && RELEASE.test(release);
}

let known: boolean | undefined;

/**
 * Whether this process runs in gVisor. Its settings below /proc/sys/net are made up. Its sockets are those of its own
 * network stack, or, with `--network=host`, those of the host's kernel.
 */
export function isGvisor(): boolean {
  known ??= process.platform === 'linux' && isGvisorKernel(release(), version());
  return known;
}
