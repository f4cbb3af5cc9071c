{
  'targets': [{
    'target_name': 'witness',
    'sources': ['witness.c'],
    'cflags': ['-Wall', '-Wextra', '-Werror']
  }]
}
