// A program that loads socket-options/register itself. run.mjs compiles it against the packed types.

import 'socket-options/register';
import * as register from 'socket-options/register';

// @ts-expect-error: it exports nothing
register.register;
