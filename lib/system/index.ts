// What face.ts loads with the first call; a bundle of its own.

export { useKit } from '../given';
export { getSysctl, getSystemDefaults } from './read';
