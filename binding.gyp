{
  'targets': [
    {
      'target_name': 'socket_options',
      'sources': ['native/addon.cc', 'native/tcp_info.cc', 'native/connections.cc'],
      'dependencies': ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api"],
      'defines': ['NAPI_VERSION=8'],
      # Small, because the system calls dwarf what -O2 gains; as a whole (-flto), because each call
      # between two files, made right after a system call, is a twentieth of one.
      'cflags!': ['-O3', '-fno-omit-frame-pointer'],
      'ldflags': ['-flto'],
      'cflags': ['-Os', '-flto', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'],
      'cflags_cc!': ['-std=gnu++17'],
      'cflags_cc': ['-std=c++17'],
      'xcode_settings': {
        'GCC_OPTIMIZATION_LEVEL': 's',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'OTHER_CFLAGS': ['-Wall', '-Wextra', '-Werror']
      },
      'msvs_settings': {'VCCLCompilerTool': {'WarningLevel': 4, 'WarnAsError': 'true'}},
      # Here and not above: node-addon-api's own settings would overwrite it with 10.7.
      'target_conditions': [
        ['OS=="mac"', {'xcode_settings': {'MACOSX_DEPLOYMENT_TARGET': '11.0'}}]
      ],
      'conditions': [
        ['OS=="linux"', {'sources': ['native/posix.cc', 'native/linux.cc', 'native/linux_diag.cc']}],
        ['OS=="mac"', {'sources': ['native/posix.cc', 'native/darwin.cc']}],
        ['OS=="win"', {'sources': ['native/win32.cc'], 'libraries': ['ws2_32.lib', 'advapi32.lib']}]
      ]
    }
  ]
}
