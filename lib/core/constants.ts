// The constants of this system's headers, from the addon.

import { addon, binding, type Constants, type ConstantTables } from './addon';

export type { Constants };

const tables: ConstantTables | undefined = addon?.constants();

/**
 * The numbers of this system's headers under their own names, for {@link getRawOption} and {@link setRawOption}.
 *
 * There are options (`TCP_KEEPIDLE`), levels (`SOL_SOCKET`, `IPPROTO_TCP`) and values (`AF_INET6`, `IP_PMTUDISC_DO`).
 * Some names are newer than the headers that the addon was built with. A name that this system does not have is
 * `undefined`. The object is frozen. It is empty if the addon could not be loaded.
 * @example
 * ```ts
 * getRawOption(socket, constants.SOL_SOCKET, constants.SO_TYPE as number);
 * ```
 * @systems Every system, with the names and numbers of its own headers.
 * @see getsockopt(2)
 */
export const constants: Constants = Object.freeze(tables?.values ?? ({} as Constants));

/** Returns the constants and the levels of the options among them. Throws without the addon. */
export function constantTables(): ConstantTables {
  return tables ?? binding().constants();
}
