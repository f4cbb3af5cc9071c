import { binding, type Constants } from './binding';

export type { Constants };

/**
 * The constants of this system's headers under their own names: options (`TCP_KEEPIDLE`), levels
 * (`SOL_SOCKET`, `IPPROTO_TCP`) and values (`AF_INET6`, `IP_PMTUDISC_DO`). Names that are newer
 * than the headers this package was built with are there too; a name that this system does not
 * have is `undefined`. Frozen.
 */
export const constants: Constants = Object.freeze(table());

function table(): Constants {
  try {
    return binding().constants;
  } catch {
    // Without the addon there are none, and the first call says why.
    return {} as Constants;
  }
}
