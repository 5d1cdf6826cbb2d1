# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `cpack` in the build folder: a Debian package of the compiler, of the runtime that it links into trainers, and of the
# library of the language. The shared libraries that it needs are found by dpkg-shlibdeps.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME gradc)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compiler for neural networks: one model file to one static trainer")
set(CPACK_PACKAGE_CONTACT "The gradc authors <gradc@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
include(CPack)
