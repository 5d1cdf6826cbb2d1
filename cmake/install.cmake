# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `cmake --install`: the compiler, the runtime of trainers, the library of the language and the C interface. gradc finds
# these parts relative to its own binary, so the installed tree can be moved.
install(TARGETS gradc RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES runtime/abi.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gradc)
install(DIRECTORY dsl/std DESTINATION ${CMAKE_INSTALL_DATADIR}/gradc FILES_MATCHING PATTERN "*.grad")
install(FILES LICENSE THIRD_PARTY.md README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
