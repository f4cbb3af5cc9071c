// What face.ts hands its calls to; a bundle of its own.

export { useKit } from '../given';
export { getSysctl, getSystemDefaults } from './read';
