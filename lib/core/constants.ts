// The constants of this system's headers.

import { addon, binding, type Constants, type ConstantTables } from './addon';

export type { Constants };

const tables: ConstantTables | undefined = addon?.constants();

/**
 * The constants of this system's headers under their own names: options (`TCP_KEEPIDLE`), levels
 * (`SOL_SOCKET`, `IPPROTO_TCP`) and values (`AF_INET6`, `IP_PMTUDISC_DO`). Names that are newer
 * than the headers this package was built with are there too; a name that this system does not
 * have is `undefined`. Frozen.
 */
// Without the addon there are none, and the first call says why.
export const constants: Constants = Object.freeze(tables?.values ?? ({} as Constants));

/** The constants, and the level of each that is an option; throws without the addon. */
export function constantTables(): ConstantTables {
  return tables ?? binding().constants();
}
