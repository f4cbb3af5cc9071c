// The constants of this system's headers, from the addon.

import { addon, binding, type Constants, type ConstantTables } from './addon';

export type { Constants };

const tables: ConstantTables | undefined = addon?.constants();

/**
 * The constants of this system's headers: `getRawOption(socket, constants.SOL_SOCKET, constants.SO_TYPE)`.
 *
 * They have the kernel's names: options (`TCP_KEEPIDLE`), levels (`SOL_SOCKET`, `IPPROTO_TCP`) and values (`AF_INET6`,
 * `IP_PMTUDISC_DO`). Some names are newer than the headers that the addon was built with. A name that this system does
 * not have is `undefined`. The object is frozen. It is empty if the addon could not be loaded.
 */
export const constants: Constants = Object.freeze(tables?.values ?? ({} as Constants));

/** Returns the constants and the levels of the options among them. Throws without the addon. */
export function constantTables(): ConstantTables {
  return tables ?? binding().constants();
}
