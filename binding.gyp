{
  'targets': [
    {
      'target_name': 'socket_options',
      'sources': [
        'native/addon.cc',
        'native/options.cc',
        'native/sockets.cc',
        'native/tcp_info.cc',
        'native/connections.cc'
      ],
      'dependencies': ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api"],
      'defines': ['NAPI_VERSION=8'],
      # -Os: system calls take so long that -O2 gains nothing. -flto: a call from one file to another,
      # right after a system call, takes a twentieth of the system call's time.
      'cflags!': ['-O3', '-fno-omit-frame-pointer'],
      'ldflags': ['-flto'],
      'cflags': ['-Os', '-flto', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'],
      'cflags_cc!': ['-std=gnu++17'],
      'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fno-rtti'],
      'xcode_settings': {
        'GCC_OPTIMIZATION_LEVEL': 's',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'OTHER_CFLAGS': ['-Wall', '-Wextra', '-Werror']
      },
      'msvs_settings': {'VCCLCompilerTool': {'WarningLevel': 4, 'WarnAsError': 'true'}},
      # Here and not in xcode_settings: node-addon-api's own settings would replace it with 10.7.
      'target_conditions': [
        ['OS=="mac"', {'xcode_settings': {'MACOSX_DEPLOYMENT_TARGET': '11.0'}}]
      ],
      'conditions': [
        ['OS=="linux"', {
          'sources': [
            'native/handles.cc',
            'native/libuv.cc',
            'native/subflows.cc',
            'native/platform/posix.cc',
            'native/platform/linux.cc',
            'native/platform/linux_netlink.cc',
            'native/platform/linux_connections.cc',
            'native/platform/linux_subflows.cc',
            'native/platform/linux_watch.cc',
            'native/runtime.cc'
          ],
          # --as-needed: without the C++ library, which the compiler names (see native/runtime.cc).
          # The linker runs in build/.
          'ldflags': ['-Wl,--as-needed', '-Wl,--version-script=../native/exports.map'],
          # glibc before 2.34 has dlsym() in libdl.
          'libraries': ['-ldl']
        }],
        ['OS=="mac"', {
          'sources': [
            'native/platform/posix.cc',
            'native/platform/bsd.cc',
            'native/platform/darwin.cc',
            'native/platform/connection_snapshot.cc'
          ]
        }],
        ['OS=="freebsd"', {
          'sources': [
            'native/platform/posix.cc',
            'native/platform/bsd.cc',
            'native/platform/freebsd.cc',
            'native/runtime.cc'
          ],
          'ldflags': ['-Wl,--as-needed', '-Wl,--version-script=../native/exports.map']
        }],
        ['OS=="win"', {
          'sources': [
            'native/handles.cc',
            'native/libuv.cc',
            'native/platform/win32.cc',
            'native/platform/win32_calls.cc',
            'native/platform/win32_connections.cc',
            'native/platform/win32_errors.cc',
            'native/platform/connection_snapshot.cc'
          ],
          'libraries': ['ws2_32.lib', 'advapi32.lib']
        }]
      ]
    }
  ]
}
