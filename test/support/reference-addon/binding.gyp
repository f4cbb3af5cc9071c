{
  'targets': [{
    'target_name': 'reference_addon',
    'sources': ['reference-addon.c'],
    'cflags': ['-Wall', '-Wextra', '-Werror'],
    'conditions': [
      ['OS=="win"', { 'libraries': ['ws2_32.lib'] }]
    ]
  }]
}
