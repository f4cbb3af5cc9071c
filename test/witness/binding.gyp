{
  'targets': [{
    'target_name': 'witness',
    'sources': ['witness.c'],
    'cflags': ['-Wall', '-Wextra', '-Werror'],
    # Only the tests of Linux ask it: test/support/witness.ts.
    'conditions': [['OS!="linux"', {'type': 'none'}]]
  }]
}
