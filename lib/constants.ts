import { type Constants, constantTables } from './binding';

export type { Constants };

/** What of the face is made only when it is asked for. */
export const lazily = {
  get constants(): Constants {
    try {
      return constantTables().values;
    } catch {
      // Without the addon there are none, and the first call says why.
      return {} as Constants;
    }
  },
};
