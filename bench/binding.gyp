{
  'target_defaults': {
    'defines': ['NAPI_VERSION=8'],
    'cflags': ['-Wall', '-Wextra', '-Werror', '-O2', '-fvisibility=hidden'],
    'cflags!': ['-O3', '-fno-omit-frame-pointer']
  },
  'targets': [
    {'target_name': 'baseline', 'sources': ['baseline.c']},
    {'target_name': 'empty', 'sources': ['empty.c']}
  ]
}
