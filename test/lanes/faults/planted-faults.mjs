// Faulty variants of the package: each one must make a row of this lane fail.

import { referenceAddon } from './kernel.mjs';

const withGetOption = (onError) => (api) => ({
  ...api,
  getOption(socket, name) {
    try {
      return api.getOption(socket, name);
    } catch (error) {
      return onError(error, api);
    }
  },
});

let isPoisoned = false;

export const plants = {
  'makes a value up': withGetOption(() => 0),
  'names another call': withGetOption((error) => {
    error.syscall = 'setsockopt';
    throw error;
  }),
  'names another error': withGetOption((error) => {
    error.code = 'EINVAL';
    throw error;
  }),
  'leaves a descriptor open': withGetOption((error) => {
    referenceAddon.socket(2, 1, 0);
    throw error;
  }),
  crashes: withGetOption(() => process.abort()),
  hangs: withGetOption(() => {
    for (;;);
  }),
  'throws in the background': withGetOption((error) => {
    Promise.reject(new Error('planted'));
    throw error;
  }),
  'fails from then on': (api) => ({
    ...api,
    getOption(socket, name) {
      if (isPoisoned) {
        isPoisoned = false;
        throw new Error('planted');
      }
      try {
        return api.getOption(socket, name);
      } catch (error) {
        isPoisoned = true;
        throw error;
      }
    },
  }),
  'sets half in silence': (api) => ({
    ...api,
    setOptions(socket, options) {
      try {
        api.setOptions(socket, options);
      } catch {
        // Without an error.
      }
    },
  }),
  'says that all was set': (api) => ({
    ...api,
    setOptions(socket, options) {
      try {
        api.setOptions(socket, options);
      } catch (error) {
        throw Object.assign(error, { applied: Object.keys(options) });
      }
    },
  }),
};
