// The public entry 'socket-options/register', for `node --require` and `--import`: it tunes the sockets of a program that does not
// know this package. docs/register.md is its page.

import { register } from './register/register';

register();
