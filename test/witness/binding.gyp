{
  'targets': [{
    'target_name': 'witness',
    'sources': ['witness.c'],
    'cflags': ['-Wall', '-Wextra', '-Werror'],
    'conditions': [
      ['OS=="win"', { 'libraries': ['ws2_32.lib'] }]
    ]
  }]
}
