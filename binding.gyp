# What npm installs has no binding.gyp at its root, where package managers take one for a script to be
# run: so the build is described in native/, for both.
{'includes': ['native/binding.gyp']}
