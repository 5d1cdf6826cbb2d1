# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `cmake --install`: the compiler, what it links into trainers, the library of the language and the contract in C.
# gradc finds the parts relative to its own binary, so the tree may be moved as a whole.
install(TARGETS gradc RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES runtime/abi.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gradc)
install(DIRECTORY dsl/std DESTINATION ${CMAKE_INSTALL_DATADIR}/gradc FILES_MATCHING PATTERN "*.grad")
install(FILES LICENSE THIRD_PARTY.md README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
