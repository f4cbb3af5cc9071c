// Loads an empty addon, with nothing around it.

require('./build/Release/empty.node');
